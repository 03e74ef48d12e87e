"""What must hold of a model and its data before a task measures anything."""

import warnings
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import tree

from keras_plex.batches import Batch
from keras_plex.batches import as_array
from keras_plex.batches import is_texts
from keras_plex.metrics.array_checks import check_labels
from keras_plex.models.classifiers import output_kind
from keras_plex.models.classifiers import output_layer
from keras_plex.models.output_kinds import check_one_label
from keras_plex.ops.probabilities import NUMBERS
from keras_plex.predictions import Predictions
from keras_plex.tasks.data_set import DataSet
from keras_plex.tasks.data_set import check_groups

# What Keras raises for the shape of a model that has none yet.
NO_SHAPE = (AttributeError, RuntimeError, ValueError, NotImplementedError)


def classifier_kind(model: keras.Model) -> str:
    """What the model's outputs are; raises for one that is no classifier."""
    if not isinstance(model, keras.Model):
        raise ValueError(
            "`model` must be a Keras model. "
            f"Received: {type(model).__name__}. Load a file with "
            "`keras.saving.load_model(path)`."
        )
    kind = output_kind(model)
    if kind in NUMBERS:
        raise ValueError(
            f"The tasks are those of classifiers, and {model.name!r} is a "
            "regression model, by its loss or its one linear output. If its "
            "outputs are logits, compile it with such a loss: "
            "`BinaryCrossentropy(from_logits=True)`. "
            f"Received: output kind={kind!r}"
        )
    check_one_label(model.name, kind, output_layer(model))
    return kind


def num_classes_of(model: keras.Model) -> int | None:
    """The number of classes, where the model knows it before its first call."""
    try:
        shape = model.output_shape
    except NO_SHAPE:
        return None
    if not isinstance(shape, tuple) or not isinstance(shape[-1], int):
        return None
    return 2 if shape[-1] == 1 else shape[-1]


def first_batch(data_set: DataSet, batch_size: int) -> Batch:
    """The first batch, not corrupted; of arrays all examples."""
    size = data_set.num_examples() or batch_size
    return next(DataSet(data_set.data).batches(size))


def check_data_sets(
    requests: Sequence[DataSet], model: keras.Model, first: Batch
) -> None:
    """Raises for data that lack something, as far as the first batch shows it.

    Args:
        requests: what tasks ask of one data set.
        model: a classifier.
        first: the `first_batch`.
    """
    x, y, third = first
    _check_inputs(x, model)
    _check_parts(requests, y, third)
    num_classes = num_classes_of(model)
    if num_classes is not None:
        _check_labels(requests, y, num_classes)
    corruption = requests[0].corruption
    if corruption is not None:
        corruption(x if isinstance(x, dict) else x[:1], 0)


def _check_inputs(x: Any, model: keras.Model) -> None:
    """Raises for one example without a batch, and for too many inputs."""
    try:
        shape = model.input_shape
    except NO_SHAPE:
        return
    if not isinstance(shape, tuple) or not shape:
        return
    if isinstance(x, (list, tuple)) and len(x) > 1 and not is_texts(x):
        raise ValueError(
            "The model has one input, and a list of arrays is several. Give "
            "batches as tuples, as in `[(x,), (x,)]`. "
            f"Received: {len(x)} arrays"
        )
    if tuple(getattr(x, "shape", ())) == shape[1:] != ():
        raise ValueError(
            "The data set must give batches, as `dataset.batch(32)` does. "
            f"Received: one example of shape={shape[1:]}"
        )


def count_missing(x: Any) -> int:
    """How many examples of a batch of inputs hold NaN."""
    missing: Any = 0
    for leaf in map(as_array, tree.flatten(x)):
        if leaf.ndim and np.issubdtype(leaf.dtype, np.floating):
            rows = leaf.reshape(len(leaf), -1)
            missing = missing | np.isnan(rows).any(axis=1)
    return int(np.sum(missing))


def warn_of_missing(count: int, where: str) -> None:
    """Warns if there are examples with NaN: many layers make 0 of it."""
    if count:
        warnings.warn(
            f"{where!r} has NaN in the inputs of {count} examples, and the "
            "model gave numbers for them: a ReLU may make 0 of NaN. Fill them "
            "or leave them out, unless the model is made for them.",
            stacklevel=2,
        )


def check_batch(
    requests: Sequence[DataSet],
    predictions: Predictions,
    y: np.ndarray | None,
    third: np.ndarray | None,
) -> None:
    """Raises for a batch that the tasks cannot measure."""
    forecast = predictions.probabilities
    if not np.isfinite(forecast).all():
        raise ValueError(
            "The model's outputs must be finite. Received: NaN or infinity. "
            "A model that diverged in training has nothing to measure."
        )
    _check_parts(requests, y, third)
    if third is not None:
        check_groups(third, len(forecast))
    if y is not None and len(y) != len(forecast):
        raise ValueError(
            "There must be one label per example. "
            f"Received: {len(y)} labels for {len(forecast)} examples"
        )
    _check_labels(requests, y, forecast.shape[-1])


def _check_parts(
    requests: Sequence[DataSet],
    y: np.ndarray | None,
    third: np.ndarray | None,
) -> None:
    """Labels and groups are there, and nothing that would be ignored."""
    if y is None and any(request.needs_labels for request in requests):
        raise ValueError(
            "This task needs labels: pass `(x, y)`, or a data set of such "
            "batches. Received: x alone"
        )
    grouped = [request for request in requests if request.needs_groups]
    if third is None and any(one.groups is None for one in grouped):
        raise ValueError(
            "This task needs groups: pass `(x, y, groups)`, or a data set of "
            "such batches. Received: (x, y)"
        )
    if third is not None and not grouped:
        raise ValueError(
            "Tasks count each example once, and would ignore sample weights: "
            "pass `(x, y)`. Received: (x, y, sample_weight)"
        )


def _check_labels(
    requests: Sequence[DataSet], y: np.ndarray | None, num_classes: int
) -> None:
    if y is None or not any(request.needs_labels for request in requests):
        return
    check_labels(y, len(y), num_classes)
    needs_soft = any(request.needs_soft_labels for request in requests)
    if needs_soft and (y.ndim != 2 or y.shape[1] != num_classes):
        raise ValueError(
            "This task needs soft labels, the share of annotators for each "
            f"class: (examples, {num_classes}). Received: shape={y.shape}"
        )
