"""What must be as it was for kept evidence to be of use."""

from collections.abc import Mapping
from typing import Any

import keras

from keras_plex.tasks.data_set import DataSet
from keras_plex.tasks.fingerprints import describe_score
from keras_plex.tasks.fingerprints import fingerprint_data
from keras_plex.tasks.parts import Use
from keras_plex.tasks.resume.values import describe_value
from keras_plex.tasks.task import Task
from keras_plex.types import Config
from keras_plex.types import Data


class Facts:
    """Describes tasks and their data; each data set is read once.

    Args:
        model: that is measured.
        batch_size: for arrays.
    """

    def __init__(self, model: keras.Model, batch_size: int):
        self.model = model
        self.batch_size = batch_size
        # The data are kept, so that no other gets their id.
        self.known: dict[int, tuple[Data, str]] = {}

    def of_set(self, use: Use) -> Config:
        """Of one data set of a task."""
        task, _, data_set = use
        corruption = data_set.corruption
        return {
            "task": [
                task.kind,
                data_set.needs_labels,
                None if corruption is None else repr(corruption),
            ],
            "data": self._mark(data_set.data) + self._mark(data_set.groups),
            "training": self._mark(task.training_data()),
            "scores": [describe_score(one) for one in task.scores(self.model)],
        }

    def of_task(self, task: Task) -> Config:
        """Of a task with a `predict` of its own, and all its data."""
        sets = task.data_sets()
        data = [task.training_data()]
        data += [one.data for one in sets.values()]
        settings = {
            name: describe_value(
                without_data(value, data),
                f"the setting {name!r} of task {task.name!r}",
            )
            for name, value in sorted(task.settings().items())
        }
        return {
            "task": [task.kind, settings],
            "data": {
                name: [
                    self._mark(one.data) + self._mark(one.groups),
                    None if one.corruption is None else repr(one.corruption),
                ]
                for name, one in sets.items()
            },
            "training": self._mark(task.training_data()),
        }

    def _mark(self, data: Data | None) -> str:
        if data is None:
            return ""
        if id(data) not in self.known:
            mark = fingerprint_data(data, self.batch_size)
            self.known[id(data)] = data, mark
        return self.known[id(data)][1]


def without_data(value: Any, data: list[Data | None]) -> Any:
    """The same without data sets, which have marks of their own."""
    if isinstance(value, DataSet) or any(value is one for one in data):
        return None
    if isinstance(value, Mapping):
        return {key: without_data(one, data) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [without_data(one, data) for one in value]
    return value
