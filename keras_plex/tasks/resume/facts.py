"""What must be as it was for kept evidence to be of use."""

import inspect
from typing import Any

import keras

from keras_plex.checks import is_number
from keras_plex.tasks.fingerprints import describe_score
from keras_plex.tasks.fingerprints import fingerprint_data
from keras_plex.tasks.parts import Use
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
        arguments = inspect.signature(type(task)).parameters
        options = {
            name: value
            for name, value in sorted(vars(task).items())
            if name in arguments and _is_plain(value)
        }
        return {
            "task": [task.kind, options],
            "data": {
                name: self._mark(one.data) + self._mark(one.groups)
                for name, one in task.data_sets().items()
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


def _is_plain(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return all(map(_is_plain, value))
    return value is None or isinstance(value, (bool, str)) or is_number(value)
