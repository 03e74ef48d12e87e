"""A generator for each example, so that batches may be cut anywhere."""

import zlib
from collections.abc import Iterable

import numpy as np

Generators = list[np.random.Generator]


def example_generators(
    seed: int, name: str, severity: int, indices: Iterable[int]
) -> Generators:
    """One generator per index, the same whatever other indices there are.

    Args:
        seed: int, not negative.
        name: of the corruption.
        severity: of the corruption.
        indices: the places of the examples in the data set.
    """
    # `hash` of a string differs from process to process.
    key = zlib.crc32(name.encode())
    return [
        np.random.default_rng([seed, key, severity, index]) for index in indices
    ]


def check_example_seed(seed: int, offset: int) -> None:
    """Raises unless both are integers of at least 0."""
    for name, value in (("seed", seed), ("offset", offset)):
        is_integer = isinstance(value, (int, np.integer))
        if not is_integer or isinstance(value, bool) or value < 0:
            raise ValueError(
                f"`{name}` must be an integer of at least 0. "
                f"Received: {name}={value!r}"
            )


def normal(generators: Generators, shape: tuple[int, ...]) -> np.ndarray:
    """Standard normal numbers, `(batch, *shape)` float32."""
    return np.stack(
        [g.standard_normal(shape, dtype=np.float32) for g in generators]
    )


def uniform(
    generators: Generators,
    shape: tuple[int, ...] = (),
    low: float = 0.0,
    high: float = 1.0,
) -> np.ndarray:
    """Numbers between `low` and `high`, `(batch, *shape)` float32."""
    numbers = [g.random(shape, dtype=np.float32) for g in generators]
    return np.stack(numbers) * np.float32(high - low) + np.float32(low)
