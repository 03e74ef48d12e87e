"""From predictions and labels to one number per example."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from keras import ops

from keras_plex.metrics.base import ForecastMetric
from keras_plex.metrics.brier_score import BrierScore
from keras_plex.metrics.forecasts import label_distribution
from keras_plex.metrics.negative_log_likelihood import NegativeLogLikelihood
from keras_plex.metrics.rated_predictions import rate_predictions
from keras_plex.metrics.rated_predictions import read_forecasts
from keras_plex.metrics.soft_label_kl_divergence import SoftLabelKLDivergence
from keras_plex.ops.probabilities import entropy
from keras_plex.predictions import Predictions

VALUES: dict[str, type[ForecastMetric]] = {
    "nll": NegativeLogLikelihood,
    "brier": BrierScore,
    "kl": SoftLabelKLDivergence,
}
# What a probability that rounds to 0 would make infinite.
OF_LOGARITHMS = ("nll", "kl")


def value_metrics() -> dict[str, ForecastMetric]:
    """What gives each example its `nll`, `brier` and `kl`."""
    # `Predictions` are float32.
    return {name: metric(dtype="float32") for name, metric in VALUES.items()}


def forecast_columns(
    predictions: Predictions,
    labels: np.ndarray | None,
    metrics: Mapping[str, ForecastMetric],
) -> dict[str, np.ndarray]:
    """Columns `(examples,)` of a batch.

    Args:
        predictions: of a batch.
        labels: class indices, one-hot or soft labels, or `None`.
        metrics: the `value_metrics`; to make them takes longer than a batch.

    Returns:
        Always `entropy` of the forecast. With labels `right`, the share of the
        label that is the predicted class; `confidence`; `uncertainty`, the sum
        of the other probabilities, halved; `nll`, `brier`, `kl`; and
        `label_entropy`.
    """
    columns: dict[str, Any] = {"entropy": predictions.entropy}
    if labels is None:
        return columns
    forecast = predictions.probabilities
    distributions = read_forecasts(labels, forecast, None)
    rated = rate_predictions(*distributions)
    columns |= {
        "right": 1.0 - rated.wrong,
        "confidence": forecast.max(axis=1),
        # Half of it is a forecast of two classes, "wrong" the second and never
        # the predicted one: what the functions of whole arrays take.
        "uncertainty": rated.uncertainty / 2,
        "label_entropy": ops.convert_to_numpy(
            entropy(ops.convert_to_tensor(distributions[0]))
        ),
    }
    logarithms = predictions.log_probabilities
    for name, metric in metrics.items():
        if name in OF_LOGARITHMS and logarithms is not None:
            transformed = ops.convert_to_tensor(logarithms)
        else:
            transformed = metric.forecast(forecast)
        values = metric.values(
            label_distribution(labels, transformed), transformed
        )
        columns[name] = ops.convert_to_numpy(values)
    return columns
