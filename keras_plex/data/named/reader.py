"""Reads splits of named data sets for one model."""

import pathlib
from collections.abc import Iterable
from collections.abc import Mapping

import keras

from keras_plex.data.named.batches import NamedBatches
from keras_plex.data.named.benchmark import Part
from keras_plex.data.named.model_inputs import model_inputs
from keras_plex.data.named.named_data_set import FeatureReader


class Reader:
    """Gives the batches of a split as the model takes them.

    The same split is the same object: tasks that share it need one pass.

    Args:
        model: any Keras classifier.
        num_classes: of the model; `None` where it is unknown, and labels are
            taken as they are.
        value_range: black and white of its images; see `image_inputs`.
        batch_size: how many examples at a time. Defaults to `32`.
        max_examples: of each split, the first ones. Defaults to all.
    """

    def __init__(
        self,
        model: keras.Model,
        num_classes: int | None = None,
        *,
        value_range: tuple[float, float] | None = None,
        batch_size: int = 32,
        max_examples: int | None = None,
    ):
        self.model = model
        self.num_classes = num_classes
        self.value_range = value_range
        self.batch_size = batch_size
        self.max_examples = max_examples
        self.batches: dict[tuple[Part, bool], NamedBatches] = {}

    def check(self, parts: Iterable[tuple[Part, bool]]) -> None:
        """Raises for parts that do not fit the model, before any is read.

        Args:
            parts: each with whether its classes are the model's.
        """
        for part, known in parts:
            self._labels(part, known)
            model_inputs(self.model, part.row.modality, self.value_range)

    def read(
        self, part: Part, known: bool, paths: Mapping[str, pathlib.Path]
    ) -> NamedBatches:
        """The batches of a part.

        Args:
            part: a split of a data set.
            known: whether its classes are the model's.
            paths: name of a data set -> where it lies.
        """
        if (part, known) not in self.batches:
            self.batches[part, known] = NamedBatches(
                part.row,
                paths[part.data_set],
                part.split,
                read_labels=self._labels(part, known),
                read_groups=part.row.group if part.with_groups else None,
                inputs=model_inputs(
                    self.model, part.row.modality, self.value_range
                ),
                value_range=self.value_range,
                batch_size=self.batch_size,
                max_examples=self.max_examples,
            )
        return self.batches[part, known]

    def _labels(self, part: Part, known: bool) -> FeatureReader:
        num_classes = self.num_classes if known else None
        return part.row.label_reader(num_classes or part.row.num_classes)
