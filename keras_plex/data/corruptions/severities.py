"""The constants of five severities, for images of any size."""

import dataclasses

import numpy as np

SMALL_SIDE = 32
LARGE_SIDE = 224

Rows = tuple[tuple[float, ...], ...]


def check_severity(severity: int) -> None:
    """Raises unless a severity is 1, 2, 3, 4 or 5."""
    is_integer = isinstance(severity, (int, np.integer))
    is_known = is_integer and severity in range(1, 6)
    if isinstance(severity, bool) or not is_known:
        raise ValueError(
            "`severity` must be an integer from 1, mild, to 5, strong. "
            f"Received: severity={severity!r}"
        )


@dataclasses.dataclass(frozen=True)
class Severities:
    """Constants published for images of 32 and of 224 pixels a side.

    What hides a word on a poster hides all of a stamp: CIFAR-10-C has milder
    constants than ImageNet-C. Between the two sizes a constant goes from one to
    the other as a power of the shorter side (on a straight line in its
    logarithm, where one of the two is 0). Beyond them, those that are lengths
    grow with the side, and the others stay.

    Args:
        small: five rows of constants, for a side of 32.
        large: five rows of constants, for a side of 224.
        lengths: the columns that count pixels.
    """

    small: Rows
    large: Rows
    lengths: tuple[int, ...] = ()

    def at(self, severity: int, images: np.ndarray) -> list[float]:
        """The constants of a severity for `(batch, height, width, ...)`."""
        side = min(images.shape[1:3])
        within = np.clip(side, SMALL_SIDE, LARGE_SIDE)
        share = np.log(within / SMALL_SIDE) / np.log(LARGE_SIDE / SMALL_SIDE)
        small = np.array(self.small[severity - 1], float)
        large = np.array(self.large[severity - 1], float)
        constants = np.where(
            np.minimum(small, large) > 0,
            small ** (1 - share) * large**share,
            small * (1 - share) + large * share,
        )
        constants[list(self.lengths)] *= side / within
        return constants.tolist()
