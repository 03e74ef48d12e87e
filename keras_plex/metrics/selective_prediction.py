"""Selective metrics of whole arrays, exact: no bins, in float64."""

from typing import Any
from typing import NamedTuple

import keras
import numpy as np
from keras import ops
from numpy.typing import ArrayLike

from keras_plex.metrics.array_checks import check_weights
from keras_plex.metrics.calibration_auc import check_positive
from keras_plex.metrics.exact_ranking import exact_auroc
from keras_plex.metrics.exact_ranking import exact_average_precision
from keras_plex.metrics.exact_ranking import quantised_area
from keras_plex.metrics.oracle_collaborative_auc import OracleCollaborativeAUC
from keras_plex.metrics.rated_predictions import RatedPredictions
from keras_plex.metrics.rated_predictions import group_ties
from keras_plex.metrics.rated_predictions import rate_predictions
from keras_plex.metrics.rated_predictions import read_forecasts
from keras_plex.metrics.review import check_bins
from keras_plex.metrics.review import check_share
from keras_plex.metrics.review import check_two_classes
from keras_plex.metrics.review import review_count
from keras_plex.metrics.selective_accuracy import check_coverage
from keras_plex.metrics.sorted_kinds import SortedKinds
from keras_plex.metrics.sorted_kinds import sort_scores
from keras_plex.metrics.threshold_curve import check_curve
from keras_plex.metrics.tied_selection import risk_coverage_area
from keras_plex.metrics.tied_selection import risk_coverage_area_range
from keras_plex.metrics.tied_selection import wrong_among_first

# Rows per update: each is compared with every threshold.
CHUNK = 4096


def calibration_auc(
    y_true: ArrayLike,
    probabilities: ArrayLike,
    *,
    curve: str = "ROC",
    positive: str = "incorrect",
    sample_weight: ArrayLike | None = None,
    num_thresholds: int | None = None,
) -> float:
    """How well confidence finds the errors: `CalibrationAUC`, exact.

    Args:
        y_true: class indices `(examples,)`; with two classes, 0, 1 or the
            probability of class 1; or one-hot or soft labels
            `(examples, classes)`.
        probabilities: `(examples, classes)`, `(examples, ensemble, classes)`,
            or of class 1 of two `(examples,)`.
        curve: `"ROC"` or `"PR"`. Defaults to `"ROC"`.
        positive: `"incorrect"` or `"correct"`. Defaults to `"incorrect"`.
        sample_weight: `(examples,)`, not negative.
        num_thresholds: `None`, or as in `auroc`. Defaults to `None`.

    Example:

    >>> calibration_auc([1, 0, 0], [[0.1, 0.9], [0.4, 0.6], [0.3, 0.7]])
    1.0
    """
    check_curve(curve)
    check_positive(positive)
    forecasts = read_forecasts(y_true, probabilities, sample_weight)
    rated = rate_predictions(*forecasts)
    scores, share = rated.uncertainty, rated.wrong
    if positive == "correct":
        # Without thresholds not 1 - u: saturated forecasts would tie.
        top = 0.0 if num_thresholds is None else 1.0
        scores, share = top - scores, 1.0 - share
    kinds = []
    for weights in (rated.weights * (1.0 - share), rated.weights * share):
        there = weights > 0
        if not there.any():
            raise ValueError(
                "`calibration_auc` needs right and wrong predictions. "
                f"Received: error rate {rated.wrong.mean():.4g}"
            )
        kinds.append(sort_scores(scores[there], weights[there]))
    kinds = SortedKinds(*kinds)
    if num_thresholds is not None:
        return quantised_area(kinds, num_thresholds, curve)
    exact = {"ROC": exact_auroc, "PR": exact_average_precision}
    return exact[curve](kinds)


class RiskCoverageCurve(NamedTuple):
    """The error rate of the most confident; `(examples,)` arrays.

    Args:
        coverage: share of the examples that are answered, ascending to 1.
        risk: error rate among them.
    """

    coverage: np.ndarray
    risk: np.ndarray


def risk_coverage_curve(
    y_true: ArrayLike,
    probabilities: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
) -> RiskCoverageCurve:
    """The curve that `risk_coverage_auc` averages, a point per example.

    Tied examples share their errors evenly. Arguments as `calibration_auc`.

    Example:

    >>> curve = risk_coverage_curve([1, 0], [[0.1, 0.9], [0.2, 0.8]])
    >>> curve.coverage.tolist(), curve.risk.tolist()
    ([0.5, 1.0], [0.0, 0.5])
    """
    forecasts = read_forecasts(y_true, probabilities, sample_weight)
    rated = rate_predictions(*forecasts)
    right, wrong, index = group_ties(rated)
    error_rate = wrong / (right + wrong)
    order = np.argsort(rated.uncertainty, kind="stable")
    weights = rated.weights[order]
    errors = np.cumsum(weights * error_rate[index][order])
    answered = np.cumsum(weights)
    return RiskCoverageCurve(answered / answered[-1], errors / answered)


def risk_coverage_auc(
    y_true: ArrayLike,
    probabilities: ArrayLike,
    *,
    excess: bool = False,
    sample_weight: ArrayLike | None = None,
) -> float:
    """Mean risk over all coverages: `RiskCoverageAUC`, exact.

    Arguments as `calibration_auc`, and `excess`: whether to subtract the value
    of a perfect ranking of the same predictions. Weights count as repeats.

    Example:

    >>> area = risk_coverage_auc([1, 0], [[0.1, 0.9], [0.2, 0.8]])
    >>> round(area, 12)  # (0 + 1/2) / 2
    0.25
    """
    forecasts = read_forecasts(y_true, probabilities, sample_weight)
    right, wrong, _ = group_ties(rate_predictions(*forecasts))
    area = risk_coverage_area(right, wrong, np)
    if excess:
        everything = right.sum(keepdims=True), wrong.sum(keepdims=True)
        area -= risk_coverage_area_range(*everything, np)[0]
    return float(area / (right.sum() + wrong.sum()))


def selective_accuracy(
    y_true: ArrayLike,
    probabilities: ArrayLike,
    *,
    coverage: float = 0.8,
    sample_weight: ArrayLike | None = None,
) -> float:
    """Accuracy of the most confident share: `SelectiveAccuracy`, exact.

    Arguments as `calibration_auc`, and `coverage`: the share, in (0, 1].

    Example:

    >>> selective_accuracy([1, 1], [[0.1, 0.9], [0.6, 0.4]], coverage=0.5)
    1.0
    """
    check_coverage(coverage)
    forecasts = read_forecasts(y_true, probabilities, sample_weight)
    right, wrong, _ = group_ties(rate_predictions(*forecasts))
    amount = coverage * (right.sum() + wrong.sum())
    errors, _, _ = wrong_among_first(right, wrong, amount, np)
    return float(1.0 - errors / amount)


def oracle_collaborative_accuracy(
    y_true: ArrayLike,
    probabilities: ArrayLike,
    *,
    fraction: float = 0.01,
    num_bins: int | None = None,
    threshold: float | None = None,
    sample_weight: ArrayLike | None = None,
) -> float:
    """Accuracy with a reviewer: `OracleCollaborativeAccuracy`, exact.

    Arguments as `calibration_auc` and as `OracleCollaborativeAccuracy`.

    Example:

    >>> y_true, probabilities = [1, 1], [[0.1, 0.9], [0.6, 0.4]]
    >>> oracle_collaborative_accuracy(y_true, probabilities, fraction=0.5)
    1.0
    """
    check_share("fraction", fraction)
    check_bins(num_bins)
    labels, forecast, weights = read_forecasts(
        y_true, probabilities, sample_weight
    )
    rated = rate_predictions(labels, forecast, weights)
    confidence = forecast.max(axis=1)
    if threshold is not None:
        check_share("threshold", threshold)
        check_two_classes(forecast)
        is_one = forecast[:, 1] > threshold
        confidence = np.abs(forecast[:, 1] - threshold)
        wrong = np.where(is_one, labels[:, 0], labels[:, 1])
        rated = RatedPredictions(-confidence, wrong, weights)
    if num_bins is not None:
        edges = np.arange(1, num_bins) / num_bins
        if np.asarray(probabilities).dtype == "float32":
            edges = edges.astype("float32")  # As the metric of a model.
        level = -np.searchsorted(edges, confidence, side="right")
        rated = rated._replace(uncertainty=level)
    right, wrong, _ = group_ties(rated)
    total = right.sum() + wrong.sum()
    amount = review_count(fraction, total, np)
    solved, _, _ = wrong_among_first(right[::-1], wrong[::-1], amount, np)
    return float(1.0 - (wrong.sum() - solved) / total)


def oracle_collaborative_auc(
    y_true: ArrayLike,
    probabilities: ArrayLike,
    *,
    score: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
    **options: Any,
) -> float:
    """AUC with a reviewer of the closest calls: `OracleCollaborativeAUC`.

    The streaming metric over the arrays, after checks that it cannot make.

    Args:
        y_true: as in `calibration_auc`.
        probabilities: as in `calibration_auc`.
        score: `(examples,)` in [0, 1]: the order of review at every
            threshold, lowest first; or `None` for the distance from the
            threshold. Defaults to `None`.
        sample_weight: `(examples,)`, not negative.
        **options: as `OracleCollaborativeAUC`: `fraction`, `curve`,
            `num_thresholds`, `num_bins`, `max_oracle_count`,
            `oracle_threshold`.

    Example:

    >>> y_true, probabilities = [0, 1, 0, 1], [0.1, 0.4, 0.6, 0.9]
    >>> oracle_collaborative_auc(y_true, probabilities, fraction=0.5)
    1.0
    """
    labels, forecast, weights = read_forecasts(y_true, probabilities, None)
    columns = [labels, forecast, weights]
    if sample_weight is not None:
        check_weights(np.asarray(sample_weight), len(labels))
        columns[2] = np.asarray(sample_weight)
    if score is not None:
        columns.append(np.asarray(score))
        _check_score(columns[3], len(labels))
    is_single = keras.backend.backend() == "jax"
    metric = OracleCollaborativeAUC(
        **options, dtype="float32" if is_single else "float64"
    )
    for start in range(0, len(labels), CHUNK):
        rows = slice(start, start + CHUNK)
        metric.update_state(*(column[rows] for column in columns))
    area = float(ops.convert_to_numpy(metric.result()))
    if np.isnan(area):
        raise ValueError(
            "`oracle_collaborative_auc` needs examples of both kinds: of class "
            "0 and 1, or with more classes right and wrong predictions."
        )
    return area


def _check_score(score: np.ndarray, num_examples: int) -> None:
    if score.shape != (num_examples,):
        raise ValueError(
            "`score` must be one number per example. "
            f"Received: shape={score.shape} for {num_examples} examples"
        )
    if not ((score >= 0) & (score <= 1)).all():
        raise ValueError(
            "`score` must lie in [0, 1]. "
            f"Received: values from {score.min():.4g} to {score.max():.4g}"
        )
