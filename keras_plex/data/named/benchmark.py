"""What a named benchmark is: a kind of task, and the data that it takes."""

import dataclasses
from collections.abc import Iterator
from collections.abc import Mapping
from typing import Any
from typing import NamedTuple

from keras_plex.data.named.named_data_set import NamedDataSet
from keras_plex.data.named.table import DATA_SETS
from keras_plex.tables import lookup

# Kinds of tasks that fit heads of their own.
ADAPTING = ("active_learning", "few_shot_learning", "few_shot_uncertainty")


class Part(NamedTuple):
    """A split of a named data set.

    Args:
        data_set: a key of `DATA_SETS`.
        split: as in `"test"` or `"train[:2000]"`.
        with_groups: whether the group of each example is read.
    """

    data_set: str
    split: str
    with_groups: bool = False

    @property
    def row(self) -> NamedDataSet:
        """The row of the data set."""
        return lookup(DATA_SETS, self.data_set, "data set")


@dataclasses.dataclass(frozen=True)
class Benchmark:
    """A row of `BENCHMARKS`.

    Args:
        kind: the key of the task in `keras_plex.tasks.TASKS`.
        test: what the model is measured on.
        others: shifted data or unknown classes, by name.
        train: what scores are fitted to, or what the model adapts to.
        options: further arguments of the task.
    """

    kind: str
    test: Part
    others: Mapping[str, Part] = dataclasses.field(default_factory=dict)
    train: Part | None = None
    options: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def modality(self) -> str:
        """`"image"`, `"text"` or `"text pair"`."""
        return self.test.row.modality

    @property
    def adapts(self) -> bool:
        """Whether the model meets classes other than its own."""
        return self.kind in ADAPTING

    @property
    def others_are_unknown(self) -> bool:
        """Whether no class of `others` is one of the model's."""
        return self.adapts or self.kind == "open_set_recognition"

    def parts(self) -> Iterator[tuple[Part, bool]]:
        """All splits that it needs, and whether their classes are the model's.

        Example:

        >>> unknown = {"mnist": Part("mnist", "test")}
        >>> test = Part("fashion_mnist", "test")
        >>> benchmark = Benchmark("open_set_recognition", test, unknown)
        >>> [(part.data_set, known) for part, known in benchmark.parts()]
        [('fashion_mnist', True), ('mnist', False)]
        """
        yield self.test, not self.adapts
        for part in self.others.values():
            yield part, not self.others_are_unknown
        if self.train is not None:
            yield self.train, not self.adapts
