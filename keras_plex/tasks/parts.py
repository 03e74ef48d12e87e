"""A task in parts: one of its data sets at a time, with scores at hand."""

from collections.abc import Hashable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import NamedTuple

import keras
import numpy as np

from keras_plex.scores import Score
from keras_plex.scores import needs_features
from keras_plex.scores.table import score_name
from keras_plex.tasks.collect import ready_scores
from keras_plex.tasks.data_set import DataSet
from keras_plex.tasks.examples import Evidence
from keras_plex.tasks.examples import Examples
from keras_plex.tasks.task import Task


class Part(Task):
    """One data set of a task, passed through the model by itself.

    Args:
        task: whose data set it is.
        set_name: of the data set in the task.
        data_set: that one, or some batches of it.
        scores: names and fitted scores.
    """

    def __init__(
        self,
        task: Task,
        set_name: str,
        data_set: DataSet,
        scores: Sequence[str | Score],
    ):
        super().__init__(name=task.name)
        self.set_name = set_name
        self.data_set = data_set
        self.ready = scores

    def data_sets(self) -> dict[str, DataSet]:
        return {self.set_name: self.data_set}

    def scores(self, model: keras.Model) -> Sequence[str | Score]:
        return self.ready


class Use(NamedTuple):
    """That a task holds a data set, under a name."""

    task: Task
    set_name: str
    data_set: DataSet

    @property
    def place(self) -> tuple[str, str]:
        """The names of the task and of the set."""
        return self.task.name, self.set_name


def uses_by_data_set(tasks: Sequence[Task]) -> dict[Hashable, list[Use]]:
    """What holds each data set, in the order in which they pass."""
    found: dict[Hashable, list[Use]] = {}
    for task in tasks:
        for name, data_set in task.data_sets().items():
            found.setdefault(data_set.key, []).append(Use(task, name, data_set))
    return found


def shares_passes(task: Task) -> bool:
    """Whether its data pass with those of others: it has no own `predict`."""
    return type(task).predict is Task.predict


class ReadyScores:
    """The scores of tasks, those of features fitted when first asked for.

    Args:
        model: that they are fitted to.
        batch_size: for arrays.
        max_examples: of the training data, the first ones.
    """

    def __init__(
        self, model: keras.Model, batch_size: int, max_examples: int | None
    ):
        self.model = model
        self.arguments = batch_size, max_examples
        self.found: dict[str, list[str | Score]] = {}

    def of(self, task: Task) -> list[str | Score]:
        """Names, functions and fitted scores of the task."""
        if task.name not in self.found:
            fitted = ready_scores(task, self.model, *self.arguments)
            self.found[task.name] = [
                fitted[score_name(one)] if needs_features(one) else one
                for one in task.scores(self.model)
            ]
        return self.found[task.name]


class Columns(NamedTuple):
    """What is kept of the examples of one data set.

    Args:
        columns: name -> `(examples,)`.
        num_classes: of the model.
        seconds: that the pass took.
    """

    columns: dict[str, np.ndarray]
    num_classes: int
    seconds: float


def join_parts(
    task: Task, parts: Mapping[tuple[str, str], Columns]
) -> Evidence:
    """The evidence of a task, from that of each of its data sets."""
    sets, seconds, num_classes = {}, 0.0, 0
    for name, data_set in task.data_sets().items():
        part = parts[task.name, name]
        sets[name] = Examples(part.columns, drawn_with=data_set.drawn_with)
        seconds += part.seconds
        num_classes = part.num_classes
    return Evidence(sets, num_classes, seconds)
