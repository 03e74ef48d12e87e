"""What is kept of the examples of a set: one number per column and example."""

import dataclasses
from collections.abc import Mapping

import numpy as np


class Examples:
    """Columns `(examples,)` by name, all of them or a drawn part.

    Rows that were drawn are taken when a column is read, so that drawing costs
    nothing for the columns that no measure looks at.

    Args:
        columns: name -> `(examples,)`.
        rows: indices of the examples that count, with repeats; or `None` for
            all of them.
        drawn_with: sets of one name hold the same examples, differently
            corrupted, and are drawn together; `None` for a set of its own.

    Example:

    >>> examples = Examples({"nll": np.array([0.1, 0.2, 0.3])})
    >>> len(examples), examples.draw(np.array([2, 2]))["nll"].tolist()
    (3, [0.3, 0.3])
    """

    def __init__(
        self,
        columns: Mapping[str, np.ndarray],
        rows: np.ndarray | None = None,
        *,
        drawn_with: str | None = None,
    ):
        self.columns = dict(columns)
        self.rows = rows
        self.drawn_with = drawn_with

    def __getitem__(self, name: str) -> np.ndarray:
        column = self.columns[name]
        return column if self.rows is None else column[self.rows]

    def __len__(self) -> int:
        if self.rows is not None:
            return len(self.rows)
        return len(next(iter(self.columns.values())))

    def draw(self, rows: np.ndarray) -> "Examples":
        """The examples at these places, of all."""
        return Examples(self.columns, rows, drawn_with=self.drawn_with)


@dataclasses.dataclass(frozen=True)
class Evidence:
    """What a model said about the data of a task; no model any more.

    Args:
        sets: the examples of each data set, by its name in the task.
        num_classes: of the model.
        seconds: that the passes over the data took.
    """

    sets: dict[str, Examples]
    num_classes: int
    seconds: float = 0.0

    def __getitem__(self, name: str) -> Examples:
        return self.sets[name]
