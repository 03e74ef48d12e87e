"""What the arguments of a covariance can be."""

from keras_plex.checks import is_number
from keras_plex.checks import is_positive_integer

MAX_STATE_BYTES = 16 * 2**30


def check_covariance_arguments(
    ridge_penalty: float,
    momentum: float | None,
    num_classes: int | None = None,
) -> None:
    """Raises unless the noise variance and the momentum make sense."""
    if not is_number(ridge_penalty) or not ridge_penalty > 0:
        raise ValueError(
            "`ridge_penalty` must be positive. "
            f"Received: ridge_penalty={ridge_penalty!r}"
        )
    is_none = momentum is None
    if not is_none and not (is_number(momentum) and 0 < momentum < 1):
        raise ValueError(
            "`momentum` must be `None` (the exact sum) or lie in (0, 1). "
            f"Received: momentum={momentum!r}"
        )
    if num_classes is not None and not is_positive_integer(num_classes):
        raise ValueError(
            "`num_classes` must be `None` or a positive integer. "
            f"Received: num_classes={num_classes!r}"
        )


def check_state_size(num_classes: int, num_features: int) -> None:
    """Raises before an allocation that no machine has room for."""
    size = 8 * num_classes * num_features**2
    if size > MAX_STATE_BYTES:
        raise ValueError(
            f"A precision for each of {num_classes} classes with "
            f"{num_features} features takes {size / 2**30:.0f} GiB; the limit "
            f"is {MAX_STATE_BYTES / 2**30:.0f} GiB. Use fewer `num_features`, "
            'or `likelihood="gaussian"`, whose one covariance all classes '
            "share."
        )
