"""Any classifier meets a data set once; every number comes from that pass."""

import keras
import numpy as np

from keras_plex.batches import iterate_batches
from keras_plex.metrics.arrays import brier_score
from keras_plex.metrics.arrays import expected_calibration_error
from keras_plex.metrics.arrays import negative_log_likelihood
from keras_plex.metrics.ranking import auroc
from keras_plex.metrics.ranking import average_precision
from keras_plex.metrics.ranking import fpr_at_tpr
from keras_plex.models.classifiers import output_kind
from keras_plex.models.member_outputs import MemberOutputs
from keras_plex.predictions import Predictions
from keras_plex.scores import score
from keras_plex.types import Data


def predict_data(
    model: keras.Model,
    data: Data,
    *,
    batch_size: int = 32,
    max_examples: int | None = None,
) -> tuple[Predictions, np.ndarray | None]:
    """Predictions for a whole data set, and its labels if it has any.

    Args:
        model: a `PlexModel` or another ensemble, or any Keras classifier,
            which counts as one member.
        data: arrays `x` or `(x, y)`, or batches of them.
        batch_size: for arrays. Defaults to `32`.
        max_examples: stop after the batch that reaches so many. Defaults to
            all.
    """
    outputs, variance, labels = [], [], []
    count = 0
    for x, y, _ in iterate_batches(data, batch_size):
        if isinstance(model, MemberOutputs):
            found = model.predict_details(x, on_batch=True)
            outputs.append(found["outputs"])
            variance.append(found.get("variance"))
        else:
            outputs.append(model.predict_on_batch(x))
            variance.append(None)
        labels.append(y)
        count += len(outputs[-1])
        if max_examples is not None and count >= max_examples:
            break
    predictions = Predictions.from_outputs(
        np.concatenate(outputs),
        output_kind(model),
        variance=None if variance[0] is None else np.concatenate(variance),
    )
    return predictions, None if labels[0] is None else np.concatenate(labels)


def measure_forecasts(
    predictions: Predictions, labels: np.ndarray
) -> dict[str, float]:
    """Accuracy and calibration: `accuracy`, `nll`, `ece`, `brier`."""
    labels, forecast = np.asarray(labels), predictions.probabilities
    is_soft = labels.shape == forecast.shape
    classes = labels.argmax(-1) if is_soft else labels.reshape(-1)
    return {
        "accuracy": float(np.mean(predictions.labels == classes)),
        "nll": negative_log_likelihood(labels, forecast),
        "ece": expected_calibration_error(labels, forecast),
        "brier": brier_score(labels, forecast),
    }


def measure_ood(
    known: Predictions, unknown: Predictions, score_name: str
) -> dict[str, float]:
    """How well a score tells unknown from known: `auroc`, `aupr`, `fpr95`."""
    function = score(score_name)
    scores = np.concatenate([function(known), function(unknown)])
    is_ood = np.arange(len(scores)) >= len(known)
    return {
        "auroc": auroc(scores, is_ood),
        "aupr": average_precision(scores, is_ood),
        "fpr95": fpr_at_tpr(scores, is_ood),
    }
