"""Any classifier meets a data set once; every number comes from that pass."""

from collections.abc import Callable
from collections.abc import Mapping

import keras
import numpy as np

from keras_plex.batches import iterate_batches
from keras_plex.metrics.arrays import expected_calibration_error
from keras_plex.metrics.ranking import auroc
from keras_plex.metrics.ranking import average_precision
from keras_plex.metrics.ranking import fpr_at_tpr
from keras_plex.models.batch_details import predict_batch
from keras_plex.models.classifiers import output_kind
from keras_plex.predictions import Predictions
from keras_plex.scores import Score
from keras_plex.scores import ready_score
from keras_plex.tasks.columns import forecast_columns
from keras_plex.tasks.columns import value_metrics
from keras_plex.types import Data


def predict_data(
    model: keras.Model,
    data: Data,
    *,
    batch_size: int = 32,
    max_examples: int | None = None,
    features: bool = False,
    on_batch: Callable[[int], None] | None = None,
) -> tuple[Predictions, np.ndarray | None]:
    """Predictions for a whole data set, and its labels if it has any.

    Args:
        model: a `PlexModel` or another ensemble, or any Keras classifier,
            which counts as one member.
        data: arrays `x` or `(x, y)`, or batches of them.
        batch_size: for arrays. Defaults to `32`.
        max_examples: stop after the batch that reaches so many. Defaults to
            all.
        features: whether to keep the inputs of the output layer, too.
        on_batch: called after each batch with the number of examples so far.
    """
    found: dict[str, list] = {}
    labels, count = [], 0
    for x, y, _ in iterate_batches(data, batch_size):
        details = predict_batch(model, x, features=features)
        for name, array in details.items():
            found.setdefault(name, []).append(array)
        labels.append(y)
        count += len(details["outputs"])
        if on_batch is not None:
            on_batch(count)
        if max_examples is not None and count >= max_examples:
            break
    arrays = {name: np.concatenate(parts) for name, parts in found.items()}
    predictions = make_predictions(arrays, output_kind(model))
    return predictions, None if labels[0] is None else np.concatenate(labels)


def make_predictions(
    details: Mapping[str, np.ndarray], kind: str
) -> Predictions:
    """Predictions from what `predict_batch` returned, of one batch or all.

    Args:
        details: arrays by name.
        kind: the `output_kind` of the model.
    """
    return Predictions.from_outputs(
        details["outputs"],
        kind,
        variance=details.get("variance"),
        features=details.get("features"),
        probabilities=details.get("probabilities"),
        prediction_sets=details.get("prediction_sets"),
    )


def measure_forecasts(
    predictions: Predictions, labels: np.ndarray
) -> dict[str, float]:
    """Accuracy and calibration: `accuracy`, `nll`, `ece`, `brier`."""
    labels, forecast = np.asarray(labels), predictions.probabilities
    is_soft = labels.shape == forecast.shape
    classes = labels.argmax(-1) if is_soft else labels.reshape(-1)
    columns = forecast_columns(predictions, labels, value_metrics())
    return {
        "accuracy": float(np.mean(predictions.labels == classes)),
        "nll": float(np.mean(columns["nll"], dtype="float64")),
        "ece": expected_calibration_error(labels, forecast),
        "brier": float(np.mean(columns["brier"], dtype="float64")),
    }


def measure_ood(
    known: Predictions, unknown: Predictions, score: str | Score
) -> dict[str, float]:
    """How well a score tells unknown from known: `auroc`, `aupr`, `fpr95`.

    Args:
        known: of known examples; with features if the score reads them.
        unknown: of out-of-distribution examples, whose score shall be higher.
        score: a name, or a fitted score.
    """
    function = ready_score(score)
    return measure_ranking(function(known), function(unknown))


def measure_ranking(known: np.ndarray, unknown: np.ndarray) -> dict[str, float]:
    """`measure_ood` of scores.

    Args:
        known: the scores of known examples.
        unknown: those of out-of-distribution examples, which shall be higher.
    """
    scores = np.concatenate([known, unknown])
    is_ood = np.arange(len(scores)) >= len(known)
    return {
        "auroc": auroc(scores, is_ood),
        "aupr": average_precision(scores, is_ood),
        "fpr95": fpr_at_tpr(scores, is_ood),
    }
