"""The few labelled examples of each class, from one pass over the data."""

import time
from collections.abc import Sequence

import keras
import numpy as np

from keras_plex.tasks.arguments import with_name_of_set
from keras_plex.tasks.collect import OnProgress
from keras_plex.tasks.data_set import DataSet
from keras_plex.tasks.few_shot.features import Features
from keras_plex.tasks.few_shot.features import labelled_batches
from keras_plex.tasks.few_shot.features import predict_features
from keras_plex.tasks.few_shot.features import share


def collect_support(
    model: keras.Model,
    data_set: DataSet,
    where: str,
    *,
    shots: int,
    seed: int | None = None,
    batch_size: int = 32,
    max_examples: int | None = None,
    on_progress: OnProgress | None = None,
) -> Features:
    """Features of `shots` examples of each class, in the order of choice.

    The first `k` of a class are its support for `k` shots, so that fewer shots
    are part of more. Batches without a chosen example are not passed through
    the model.

    Args:
        model: a `PlexModel` or another ensemble, or any Keras classifier.
        data_set: labelled data.
        where: the name of the set, for errors and progress.
        shots: examples of each class.
        seed: `None` takes the first ones; an int draws them.
        batch_size: for arrays. Defaults to `32`.
        max_examples: look at the first ones only. Defaults to all.
        on_progress: called after each batch.
    """
    generator = None if seed is None else np.random.default_rng(seed)

    def collect() -> Features:
        start, seen = time.perf_counter(), 0
        keys, labels = np.zeros(0), np.zeros(0, "int64")
        values: list[np.ndarray] = []
        for x, y, count in labelled_batches(
            data_set, batch_size, max_examples, where, on_progress
        ):
            new_keys = np.arange(seen, seen + count, dtype="float64")
            if generator is not None:
                new_keys = generator.random(count)
            kept, seen = len(keys), seen + count
            keys = np.concatenate([keys, new_keys])
            labels = np.concatenate([labels, y])
            chosen = _first_of_each_class(labels, keys, shots)
            if chosen[-1] < kept:
                keys, labels = keys[:kept], labels[:kept]
                continue
            values.append(predict_features(model, x)[:count])
            values = [np.concatenate(values)[chosen]]
            keys, labels = keys[chosen], labels[chosen]
        check_shots(labels, shots)
        order = np.argsort(keys)
        seconds = time.perf_counter() - start
        return Features(values[0][order], labels[order], seconds)

    key = (id(model), data_set.key, "support", shots, seed)
    return share(
        (*key, batch_size, max_examples),
        lambda: with_name_of_set(where, collect),
    )


def check_shots(labels: np.ndarray, shots: int) -> None:
    """Raises unless there are classes, and enough examples of each."""
    classes, counts = np.unique(labels, return_counts=True)
    if len(classes) < 2:
        raise ValueError(
            "There must be examples of at least two classes. "
            f"Received: labels={classes.tolist()}"
        )
    fewest = int(counts.argmin())
    if counts[fewest] < shots:
        raise ValueError(
            f"There are too few examples in a class: class {classes[fewest]} "
            f"has {counts[fewest]}, and {shots} shots need {shots} of each. "
            "Pass fewer `shots`, or leave the class out."
        )


def ranks_in_classes(labels: np.ndarray) -> np.ndarray:
    """`(examples,)`: how many of the same class come before.

    Example:

    >>> ranks_in_classes(np.array([7, 7, 2, 7, 2])).tolist()
    [0, 1, 0, 2, 1]
    """
    order = np.argsort(labels, kind="stable")
    ordered = labels[order]
    ranks = np.empty(len(labels), "int64")
    ranks[order] = np.arange(len(labels)) - np.searchsorted(ordered, ordered)
    return ranks


def as_targets(
    labels: np.ndarray, classes: Sequence[int] | np.ndarray, where: str
) -> np.ndarray:
    """Places among the classes; raises for a label that is none of them."""
    unknown = np.setdiff1d(labels, classes)
    if len(unknown):
        raise ValueError(
            f"Classes of the set {where!r} have no labelled example to learn "
            f"from. Received: {unknown[:5].tolist()}, but examples of "
            f"{np.asarray(classes)[:5].tolist()}{', ...' * (len(classes) > 5)}"
        )
    return np.searchsorted(classes, labels)


def _first_of_each_class(
    labels: np.ndarray, keys: np.ndarray, shots: int
) -> np.ndarray:
    """Which examples have the smallest keys of their class, ascending."""
    by_key = np.argsort(keys, kind="stable")
    ranks = np.empty(len(labels), "int64")
    ranks[by_key] = ranks_in_classes(labels[by_key])
    return np.flatnonzero(ranks < shots)
