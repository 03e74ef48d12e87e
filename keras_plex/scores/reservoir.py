"""A uniform sample of rows of which one does not know how many will come."""

import numpy as np


class Reservoir:
    """Keeps `size` rows of a stream, each with the same probability.

    The sample depends on the order of the rows, not on how they are cut into
    batches.

    Reference:
        Vitter, 1985, "Random sampling with a reservoir", algorithm R.
    """

    def __init__(self, size: int, seed: int):
        self.size = size
        self.seen = 0
        self._generator = np.random.default_rng(seed)
        self._parts: list[np.ndarray] = []

    def update(self, rows: np.ndarray) -> None:
        """Takes rows in, `(batch, ...)`."""
        room = max(self.size - self.seen, 0)
        first, rest = rows[:room], rows[room:]
        if len(first):
            self._parts.append(first)
        if len(rest):
            # Row number n takes the place of another with probability size / n.
            numbers = self.seen + len(first) + 1 + np.arange(len(rest))
            draws = self._generator.random(len(rest))
            places = np.floor(draws * numbers).astype("int64")
            is_kept = places < self.size
            self.rows[places[is_kept]] = rest[is_kept]
        self.seen += len(rows)

    @property
    def rows(self) -> np.ndarray:
        """What is kept, as one array."""
        if len(self._parts) > 1:
            self._parts = [np.concatenate(self._parts)]
        elif self._parts and self._parts[0].base is not None:
            # Not a view of the caller's array.
            self._parts = [self._parts[0].copy()]
        return self._parts[0]
