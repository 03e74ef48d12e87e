"""What a model makes of a data set: the inputs of its output layer."""

import contextlib
import contextvars
import time
from collections.abc import Callable
from collections.abc import Hashable
from collections.abc import Iterator
from typing import Any
from typing import NamedTuple
from typing import TypeVar

import keras
import numpy as np

from keras_plex.batches import count_examples
from keras_plex.conversion.surgery import walk_layers
from keras_plex.models.batch_details import predict_batch
from keras_plex.models.classifiers import output_layer
from keras_plex.scores.labels import class_indices
from keras_plex.tasks.arguments import with_name_of_set
from keras_plex.tasks.collect import OnProgress
from keras_plex.tasks.data_set import DataSet


class Features(NamedTuple):
    """Features of examples, and their labels.

    Args:
        values: `(examples, ensemble, dim)`.
        labels: `(examples,)` int; empty where none were asked for.
        seconds: that the pass took.
    """

    values: np.ndarray
    labels: np.ndarray
    seconds: float


Made = TypeVar("Made")

# What was made of passes and is at hand, by what was asked.
_shared: contextvars.ContextVar[dict[Hashable, Any] | None] = (
    contextvars.ContextVar("shared_features", default=None)
)


@contextlib.contextmanager
def shared_features() -> Iterator[None]:
    """Within it, tasks share passes over the same data by the same model.

    The features, and the probes that were fitted to them, stay in memory until
    it ends; the model must not change.
    """
    token = _shared.set({})
    try:
        yield
    finally:
        _shared.reset(token)


def share(key: Hashable, make: Callable[[], Made]) -> Made:
    """What was made under that key within `shared_features`, or is made now."""
    shared = _shared.get()
    if shared is None:
        return make()
    if key not in shared:
        shared[key] = make()
    return shared[key]


def extract_features(
    model: keras.Model,
    data_set: DataSet,
    where: str,
    *,
    batch_size: int = 32,
    max_examples: int | None = None,
    on_progress: OnProgress | None = None,
) -> Features:
    """The features of a data set, from one pass.

    Args:
        model: a `PlexModel` or another ensemble, or any Keras classifier.
        data_set: whether it `needs_labels` decides if these are read.
        where: the name of the set, for errors and progress.
        batch_size: for arrays. Defaults to `32`.
        max_examples: the first ones. Defaults to all.
        on_progress: called after each batch.
    """

    def extract() -> Features:
        start = time.perf_counter()
        values, labels = [], []
        for x, y, count in labelled_batches(
            data_set, batch_size, max_examples, where, on_progress
        ):
            values.append(predict_features(model, x)[:count])
            labels.append(y)
        return Features(
            np.concatenate(values),
            np.concatenate(labels),
            time.perf_counter() - start,
        )

    key = (id(model), data_set.key, data_set.needs_labels)
    return share(
        (*key, batch_size, max_examples),
        lambda: with_name_of_set(where, extract),
    )


def check_output_layer(model: keras.Model) -> None:
    """Raises for a model that has no output layer whose inputs are features.

    In a subclassed model with a `Dense`, the first pass shows it.
    """
    layers = map(type, walk_layers(model))
    if output_layer(model) is None and keras.layers.Dense not in layers:
        raise ValueError(
            "This task reads the model's features, the inputs of a `Dense` "
            f"output layer, and {model.name!r} has none. Let the model end in "
            "`Dense`."
        )


def predict_features(model: keras.Model, x: Any) -> np.ndarray:
    """`(batch, ensemble, dim)` of one batch; raises unless all are finite."""
    features = predict_batch(model, x, features=True)["features"]
    if not np.isfinite(features).all():
        raise ValueError(
            "The model's features must be finite. Received: NaN or infinity. "
            "A model that diverged in training has nothing to measure."
        )
    return features


def labelled_batches(
    data_set: DataSet,
    batch_size: int,
    max_examples: int | None = None,
    where: str = "",
    on_progress: OnProgress | None = None,
) -> Iterator[tuple[Any, np.ndarray, int]]:
    """Yields inputs, labels, and how many of the batch count.

    The labels are class indices `(count,)`, or empty where the data set needs
    none. Inputs come as they are, so that all batches have one shape.
    """
    total, done = data_set.num_examples(), 0
    if total is not None and max_examples is not None:
        total = min(total, max_examples)
    for x, y, third in data_set.batches(batch_size):
        size = count_examples(x)
        count = size
        if max_examples is not None:
            count = min(size, max_examples - done)
        labels = np.zeros(0, "int64")
        if data_set.needs_labels:
            labels = _checked_labels(y, third, size)[:count]
        yield x, labels, count
        done += count
        if on_progress is not None:
            on_progress(where, done, total)
        if done == max_examples:
            break


def _checked_labels(
    y: np.ndarray | None, third: np.ndarray | None, size: int
) -> np.ndarray:
    if y is None:
        raise ValueError(
            "This task needs labels: pass `(x, y)`, or a data set of such "
            "batches. Received: x alone"
        )
    if third is not None:
        raise ValueError(
            "Tasks count each example once, and would ignore sample weights: "
            "pass `(x, y)`. Received: (x, y, sample_weight)"
        )
    return class_indices(y, size)
