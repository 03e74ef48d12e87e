"""What a reviewer with a limited budget looks at."""

import types

from keras_plex.checks import is_number
from keras_plex.checks import is_positive_integer
from keras_plex.types import Tensor

# A product such as 0.29 * 100 may round to just below a whole number.
ROUNDING = 1e-6
# More bins of equal width would no longer be told apart by `score_bin`.
MAX_BINS = 1000


def review_count(
    fraction: float, total: Tensor, xp: types.ModuleType
) -> Tensor:
    """`floor(fraction * total)`, the number of examples to review."""
    return xp.floor(fraction * total * (1.0 + ROUNDING))


def check_share(name: str, share: float) -> None:
    """Raises if a number does not lie between 0 and 1."""
    if not is_number(share) or not 0 <= share <= 1:
        raise ValueError(
            f"`{name}` must lie in [0, 1]. Received: {name}={share!r}"
        )


def check_bins(num_bins: int | None) -> None:
    """Raises unless it is a number of bins of equal width, or `None`."""
    if (
        num_bins is None
        or is_positive_integer(num_bins)
        and (num_bins <= MAX_BINS)
    ):
        return
    raise ValueError(
        f"`num_bins` must be an integer from 1 to {MAX_BINS}, or None. "
        f"Received: num_bins={num_bins!r}"
    )


def check_two_classes(forecast: Tensor) -> None:
    """Raises if a threshold has no single probability to be compared with."""
    if forecast.shape[-1] != 2:
        raise ValueError(
            "`threshold` is for two classes. For more, leave it None. "
            f"Received: {forecast.shape[-1]} classes"
        )
