"""What the arguments of a LoRA ensemble layer can be."""

import math

from keras import initializers

from keras_plex.checks import is_number
from keras_plex.checks import is_positive_integer


def check_rank(rank: int) -> int:
    """Returns `rank`, or raises if it is not a positive integer."""
    if not is_positive_integer(rank):
        raise ValueError(
            f"`rank` must be a positive integer. Received: rank={rank!r}"
        )
    return rank


def check_alpha(alpha: float | None) -> float | None:
    """Returns `alpha`, or raises if it is neither `None` nor positive."""
    if alpha is not None and not (is_number(alpha) and 0 < alpha < math.inf):
        raise ValueError(
            "`alpha` must be `None`, which is `rank`, or a positive number. "
            f"Received: alpha={alpha!r}"
        )
    return alpha


def check_random(
    initializer: initializers.Initializer,
) -> initializers.Initializer:
    """Returns `initializer`, or raises if its draws are all equal."""
    if getattr(initializer, "seed", None) is None:
        raise ValueError(
            "`a_initializer` must be a random Keras initializer: members "
            "that start equal stay equal. "
            f"Received: a_initializer={initializer!r}"
        )
    return initializer
