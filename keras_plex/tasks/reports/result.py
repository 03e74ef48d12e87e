"""What came of a task, as plain data."""

import dataclasses
from typing import Any

import numpy as np

from keras_plex.tables import lookup
from keras_plex.tasks.measures import find_measure


@dataclasses.dataclass(frozen=True)
class Value:
    """One number, and how sure it is.

    Args:
        value: of the measure; NaN where the data allow none.
        low: lower end of its 95 % interval, NaN where there is none.
        high: upper end.
        higher_is_better: its direction.
        drawn: `(resamples,)`, the measure of each resample; those of two
            models on the same data are compared one by one.
    """

    value: float
    low: float
    high: float
    higher_is_better: bool
    drawn: np.ndarray = dataclasses.field(
        default_factory=lambda: np.zeros(0, "float32"),
        repr=False,
        compare=False,
    )


@dataclasses.dataclass(frozen=True)
class TaskResult:
    """What one task measured on one model.

    Args:
        name: of the task.
        kind: the key in `TASKS`.
        category: `"uncertainty"`, `"robust generalization"` or `"adaptation"`.
        headline: the measure to look at first.
        scored: the measures that go into `Report.reliability_score`.
        measures: name -> `Value`.
        num_examples: name of a data set -> how many were measured.
        num_classes: of the model.
        seconds: that it took. A pass that several tasks share counts in each.
        curves: small lists to draw.
        fingerprints: name of a data set -> a mark that other data hardly
            share; of arrays alone.
        settings: `options` of the task, and its `sets` with the corruption of
            each; `None` where they are not known, as of an older report.
    """

    name: str
    kind: str
    category: str
    headline: str
    scored: tuple[str, ...]
    measures: dict[str, Value]
    num_examples: dict[str, int]
    num_classes: int
    seconds: float
    curves: dict[str, Any]
    fingerprints: dict[str, str] = dataclasses.field(default_factory=dict)
    settings: dict[str, Any] | None = None

    def __getitem__(self, measure: str) -> Value:
        return lookup(self.measures, measure, "measure")

    def normalized(self) -> dict[str, float]:
        """The scored measures from 0, bad, to 1; without those that are NaN."""
        found = {name: self.goodness(name) for name in self.scored}
        return {k: value for k, value in found.items() if not np.isnan(value)}

    def goodness(self, measure: str) -> float:
        """A measure from 0, bad, to 1, perfect; NaN stays NaN."""
        value = self.measures[measure].value
        return find_measure(measure).normalize(value, self.num_classes)
