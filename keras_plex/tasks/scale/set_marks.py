"""What tells a data set from another without reading it."""

import dataclasses
from collections.abc import Hashable

import keras
from keras import tree

from keras_plex.batches import is_arrays
from keras_plex.batches import lists_as_arrays
from keras_plex.tasks.data_set import DataSet
from keras_plex.tasks.parts import Use
from keras_plex.tasks.resume.facts import Facts
from keras_plex.types import Config
from keras_plex.types import Data

EXAMPLES = 256


class SetMarks:
    """Marks the data sets of a task, equal where the same are looked at alike.

    Of arrays it reads some 256 examples from the first to the last, all of
    smaller ones; of data in batches the first batch and, where it is known,
    their number. Training data that are arrays are read, as by scores.

    Args:
        model: that is measured.
        batch_size: for arrays.
    """

    def __init__(self, model: keras.Model, batch_size: int):
        self.facts = Facts(model, batch_size)
        self.samples: dict[Hashable, Data] = {}

    def of(self, use: Use) -> Config:
        """Of one data set of a task, for JSON."""
        sample = dataclasses.replace(
            use.data_set, data=self._sample(use.data_set)
        )
        return self.facts.of_set(use._replace(data_set=sample))

    def _sample(self, data_set: DataSet) -> Data:
        if not is_arrays(data_set.data):
            return data_set.data
        # Corrupted copies share their data.
        key = dataclasses.replace(data_set, corruption=None).key
        if key not in self.samples:
            count = data_set.num_examples() or 0
            # A slice: tensors of TensorFlow take no list of rows.
            rows = slice(None, None, max(count // EXAMPLES, 1))
            self.samples[key] = tree.map_structure(
                lambda leaf: None if leaf is None else leaf[rows],
                lists_as_arrays(data_set.data),
            )
        return self.samples[key]
