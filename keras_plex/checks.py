"""What kind of number a value is, and what a seed must be."""

from typing import Any
from typing import TypeGuard

import numpy as np


def is_number(value: Any) -> TypeGuard[float]:
    """Whether a value is an int or a float, and no bool."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def is_integer(value: Any) -> TypeGuard[int]:
    """Whether a value is an int, and no bool."""
    return isinstance(value, int) and not isinstance(value, bool)


def is_positive_integer(value: Any) -> TypeGuard[int]:
    """Whether a value is an int of at least 1, and no bool."""
    return is_integer(value) and value >= 1


def check_numbers(array: np.ndarray, name: str) -> None:
    """Raises for labels that are names."""
    if array.dtype.kind in "OSU":
        raise ValueError(
            f"`{name}` must be numbers: the place of each name in the list of "
            f"classes. Received: dtype={array.dtype}"
        )


def check_seed(seed: Any) -> None:
    """Raises unless a seed is `None` or an int of at least 0."""
    if seed is not None and not (is_integer(seed) and seed >= 0):
        raise ValueError(
            "`seed` must be `None` or a non-negative integer. "
            f"Received: seed={seed!r}"
        )
