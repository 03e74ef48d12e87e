"""Kinds of Gaussian noise on class scores, with their gradients.

Each is linear in its draws, so that `ops.monte_carlo` can draw some samples,
use them and forget them, also on the way back.
"""

from collections.abc import Sequence
from typing import NamedTuple
from typing import Protocol

from keras import ops

from keras_plex.types import Tensor


class Noise(Protocol):
    """A part of the noise; each sample has `width` standard normal draws."""

    @property
    def width(self) -> int: ...

    def values(self, draws: Tensor, *tensors: Tensor) -> Tensor:
        """The noise of draws `(samples, width)`: `(..., samples, classes)`."""
        ...

    def gradients(
        self, draws: Tensor, upstream: Tensor, *tensors: Tensor
    ) -> Sequence[Tensor]:
        """Gradient of each tensor, given that of the values."""
        ...


class IndependentNoise(NamedTuple):
    """`stddev * e`: a draw for each class, or with `width=1` one for all.

    Its tensor is `stddev`, `(..., classes)`.
    """

    width: int

    def values(self, draws: Tensor, *tensors: Tensor) -> Tensor:
        (stddev,) = tensors
        return _per_sample(stddev) * draws

    def gradients(
        self, draws: Tensor, upstream: Tensor, *tensors: Tensor
    ) -> Sequence[Tensor]:
        return (ops.sum(upstream * draws, axis=-2),)


class FactorNoise(NamedTuple):
    """`e @ factors`: `width` factors that every example has for itself.

    Its tensor is `factors`, `(..., width, classes)`.
    """

    width: int

    def values(self, draws: Tensor, *tensors: Tensor) -> Tensor:
        (factors,) = tensors
        return ops.matmul(draws, factors)

    def gradients(
        self, draws: Tensor, upstream: Tensor, *tensors: Tensor
    ) -> Sequence[Tensor]:
        return (ops.matmul(ops.transpose(draws), upstream),)


class ScaledFactorNoise(NamedTuple):
    """`scale * (e @ loadings)`: factors that the examples share, and rescale.

    Its tensors are `scale`, `(..., classes)`, and `loadings`,
    `(width, classes)`.
    """

    width: int

    def values(self, draws: Tensor, *tensors: Tensor) -> Tensor:
        scale, loadings = tensors
        return _per_sample(scale) * ops.matmul(draws, loadings)

    def gradients(
        self, draws: Tensor, upstream: Tensor, *tensors: Tensor
    ) -> Sequence[Tensor]:
        scale, loadings = tensors
        of_scale = ops.sum(upstream * ops.matmul(draws, loadings), axis=-2)
        weighted = upstream * _per_sample(scale)
        examples = tuple(range(len(weighted.shape) - 2))
        weighted = ops.sum(weighted, axis=examples)  # (samples, classes)
        return of_scale, ops.matmul(ops.transpose(draws), weighted)


def _per_sample(x: Tensor) -> Tensor:
    return ops.expand_dims(x, axis=-2)  # (..., 1, classes)
