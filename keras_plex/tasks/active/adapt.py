"""From labelled examples of a pool to forecasts for the pool and the test."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import tree

from keras_plex.batches import as_array
from keras_plex.batches import count_examples
from keras_plex.batches import is_texts
from keras_plex.conversion.copying import copy_compilation
from keras_plex.conversion.copying import copy_model
from keras_plex.metrics.array_checks import check_labels
from keras_plex.models.batch_details import predict_batch
from keras_plex.predictions import Predictions
from keras_plex.tasks.checks import classifier_kind
from keras_plex.tasks.collect import OnProgress
from keras_plex.tasks.data_set import DataSet
from keras_plex.tasks.few_shot.features import extract_features
from keras_plex.tasks.few_shot.features import labelled_batches
from keras_plex.tasks.few_shot.probe import DEFAULT_L2
from keras_plex.tasks.few_shot.probe import fit_probe
from keras_plex.tasks.few_shot.support import as_targets
from keras_plex.tasks.measurements import make_predictions

# A copy of the model, inputs and labels as the pool has them; gives the model
# to measure.
Fit = Callable[[keras.Model, Any, np.ndarray], keras.Model]
# Takes "pool" or "test".
Forecast = Callable[[str], Predictions]


class ProbeAdaptation:
    """Fits a logistic regression per member to the labelled examples.

    Args:
        model: whose features it reads, once.
        data: the data sets by name, `"pool"` and `"test"`.
        labels: the class of each example, likewise.
        where: the name of the task, for errors and progress.
        batch_size: for arrays.
        max_examples: of each set, the first ones.
        on_progress: called after each batch.
    """

    def __init__(
        self,
        model: keras.Model,
        data: dict[str, DataSet],
        labels: dict[str, np.ndarray],
        where: str,
        *,
        batch_size: int,
        max_examples: int | None,
        on_progress: OnProgress | None,
    ):
        self.features = {}
        for name, data_set in data.items():
            found = extract_features(
                model,
                data_set,
                f"{where}: {name}",
                batch_size=batch_size,
                max_examples=max_examples,
                on_progress=on_progress,
            )
            check_same_order(name, labels[name], found.labels)
            self.features[name] = found.values
        classes = np.unique(labels["pool"])
        self.labels = {
            name: as_targets(one, classes, name) for name, one in labels.items()
        }

    def adapt(self, rows: np.ndarray, with_features: bool) -> Forecast:
        """Forecasts after learning these rows of the pool."""
        probe = fit_probe(
            self.features["pool"][rows],
            self.labels["pool"][rows],
            l2=DEFAULT_L2,
        )
        return lambda name: probe.predict(self.features[name])


class FitAdaptation:
    """Lets a function train a copy of the model, anew in each round.

    Args:
        model: what is copied.
        fit: see `Fit`.
        data: the data sets by name, `"pool"` and `"test"`.
        labels: the class of each example, likewise.
        batch_size: for arrays.
        max_examples: of each set, the first ones.
    """

    def __init__(
        self,
        model: keras.Model,
        fit: Fit,
        data: dict[str, DataSet],
        labels: dict[str, np.ndarray],
        *,
        batch_size: int,
        max_examples: int | None,
    ):
        self.model = model
        self.fit = fit
        self.data = data
        self.labels = labels
        self.options = {"batch_size": batch_size, "max_examples": max_examples}

    def adapt(self, rows: np.ndarray, with_features: bool) -> Forecast:
        """Forecasts after learning these rows of the pool."""
        copy = copy_model(self.model)
        copy_compilation(self.model, copy)
        x, y = take_rows(self.data["pool"], rows, self.options["batch_size"])
        adapted = self.fit(copy, x, y)
        if not isinstance(adapted, keras.Model) or adapted is self.model:
            raise ValueError(
                "`fit` must return the copy that it was given, or another "
                "Keras model, and leave the model of `evaluate` alone. "
                f"Received: {type(adapted).__name__}"
            )
        kind = classifier_kind(adapted)

        def forecast(name: str) -> Predictions:
            found: dict[str, list[np.ndarray]] = {"labels": []}
            for x, y, count in labelled_batches(
                self.data[name], **self.options
            ):
                details = predict_batch(adapted, x, features=with_features)
                for key, array in details.items():
                    found.setdefault(key, []).append(array[:count])
                found["labels"].append(y)
            arrays = {key: np.concatenate(x) for key, x in found.items()}
            check_same_order(name, self.labels[name], arrays["labels"])
            predictions = make_predictions(arrays, kind)
            num_classes = predictions.probabilities.shape[-1]
            check_labels(self.labels[name], len(predictions), num_classes)
            return predictions

        return forecast


def check_same_order(
    name: str, expected: np.ndarray, found: np.ndarray
) -> None:
    """Raises if a data set gives other examples at another pass."""
    if not np.array_equal(expected, found):
        raise ValueError(
            f"`{name}` must give the same examples in the same order at each "
            "pass, as rounds remember their places. Leave `shuffle` out, or "
            "pass `reshuffle_each_iteration=False`. Received: other labels at "
            "the second pass"
        )


def take_rows(
    data_set: DataSet, rows: np.ndarray, batch_size: int
) -> tuple[Any, np.ndarray]:
    """Inputs and labels of these examples as they are, in this order."""
    parts, places, start = [], [], 0
    for x, y, _ in data_set.batches(batch_size):
        count = count_examples(x)
        here = np.flatnonzero((rows >= start) & (rows < start + count))
        if len(here):
            chosen = rows[here] - start
            parts.append((_take(x, chosen), _take(y, chosen)))
            places.append(here)
        start += count
    order = np.argsort(np.concatenate(places))
    together = tree.map_structure(lambda *x: np.concatenate(x), *parts)
    return tree.map_structure(lambda leaf: leaf[order], together)


def _take(x: Any, rows: np.ndarray) -> Any:
    if is_texts(x):
        return np.asarray(x, dtype=object)[rows]
    return tree.map_structure(lambda leaf: as_array(leaf)[rows], x)
