"""Random Fourier features of a Gaussian (RBF) kernel."""

import math

import numpy as np
from keras import ops

from keras_plex.types import Tensor


def random_projection(
    input_dim: int, num_features: int, orthogonal: bool, seed: int
) -> np.ndarray:
    """Frequencies of the unit RBF kernel: `(input_dim, num_features)`.

    Each column is marginally `N(0, I)`. With `orthogonal` the columns come in
    blocks of `input_dim` that are orthogonal to each other, which approximates
    the kernel better with as many features.

    Reference:
        Rahimi and Recht, 2007, "Random features for large-scale kernel
        machines"; Yu et al., 2016, "Orthogonal random features".
    """
    generator = np.random.default_rng([seed, 0])
    if not orthogonal:
        return generator.normal(size=(input_dim, num_features))
    blocks = []
    for _ in range(math.ceil(num_features / input_dim)):
        gaussian = generator.normal(size=(input_dim, input_dim))
        directions, triangle = np.linalg.qr(gaussian)
        # QR alone fixes the signs of the diagonal; this makes Q uniform.
        directions = directions * np.sign(np.diag(triangle))
        norms = np.sqrt(generator.chisquare(input_dim, size=input_dim))
        blocks.append(directions * norms)
    return np.concatenate(blocks, axis=1)[:, :num_features]


def random_phase(num_features: int, seed: int) -> np.ndarray:
    """Phases, uniform on `[0, 2 pi)`: `(num_features,)`."""
    generator = np.random.default_rng([seed, 1])
    return generator.uniform(0.0, 2.0 * math.pi, size=num_features)


def cosine_features(x: Tensor, projection: Tensor, phase: Tensor) -> Tensor:
    """`sqrt(2 / D) cos(x W + b)`: `(..., dim)` to `(..., features)`."""
    scale = math.sqrt(2.0 / projection.shape[-1])
    return scale * ops.cos(ops.matmul(x, projection) + phase)


def normalize_parts(x: Tensor, last: int, epsilon: float = 1e-6) -> Tensor:
    """Each part with mean 0 and variance 1: the `last` numbers, and the rest.

    Args:
        x: `(..., dim)`.
        last: int, below `dim`; with 0 all of it is one part.
        epsilon: added to the variance. Defaults to `1e-6`.
    """
    if not last:
        return normalize_last_axis(x, epsilon)
    parts = ops.split(x, [x.shape[-1] - last], axis=-1)
    return ops.concatenate(
        [normalize_last_axis(part, epsilon) for part in parts], axis=-1
    )


def normalize_last_axis(x: Tensor, epsilon: float = 1e-6) -> Tensor:
    """Mean 0 and variance 1 over the last axis, without learned scales."""
    mean, variance = ops.moments(x, axes=-1, keepdims=True)
    return (x - mean) * ops.rsqrt(variance + epsilon)
