"""How little each class conforms to a forecast: scores of conformal sets.

All are the published score *less one*: so a small probability keeps its digits
in float32, which `1 - p` rounds away. They rise as the class conforms less.
"""

from collections.abc import Callable

from keras import ops

from keras_plex.types import Tensor


def lac(probabilities: Tensor, penalty: float, rank: int) -> Tensor:
    """Minus the class's probability: `(1 - p_k) - 1`.

    Reference:
        Sadinle, Lei and Wasserman, 2019, "Least ambiguous set-valued
        classifiers with bounded error levels".
    """
    return -probabilities


def aps(probabilities: Tensor, penalty: float, rank: int) -> Tensor:
    """Minus the probability of the class and all that are less probable.

    That is the cumulative probability *before* the class, less one: the level
    that its set must exceed to hold it. The most probable class always has -1.

    Reference:
        Romano, Sesia and Candès, 2020, "Classification with valid and adaptive
        coverage".
    """
    return -_mass_and_place(probabilities)[0]


def raps(probabilities: Tensor, penalty: float, rank: int) -> Tensor:
    """`aps`, and `penalty` for each place beyond the first `rank`.

    Reference:
        Angelopoulos et al., 2021, "Uncertainty sets for image classifiers
        using conformal prediction".
    """
    mass, place = _mass_and_place(probabilities)
    beyond = ops.cast(ops.maximum(place + 1 - rank, 0), mass.dtype)
    return penalty * beyond - mass


ConformalScore = Callable[[Tensor, float, int], Tensor]

# Name -> score of `(batch, classes)`. Add one here, or from outside.
CONFORMAL_SCORES: dict[str, ConformalScore] = {
    "lac": lac,
    "aps": aps,
    "raps": raps,
}


def _mass_and_place(probabilities: Tensor) -> tuple[Tensor, Tensor]:
    """The probability from each class on downwards, and its place from 0."""
    order = ops.argsort(-probabilities, axis=-1)
    place = ops.argsort(order, axis=-1)
    falling = ops.take_along_axis(probabilities, order, axis=-1)
    # Summed from the smallest on, which keeps the digits of small sums.
    sums = ops.cumsum(ops.flip(falling[:, 1:], axis=-1), axis=-1)
    mass = ops.concatenate(
        [ops.ones_like(falling[:, :1]), ops.flip(sums, axis=-1)], axis=-1
    )
    return ops.take_along_axis(mass, place, axis=-1), place
