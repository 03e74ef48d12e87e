"""AUC with a reviewer: the numbers of the reference, and plain loops."""

import keras
import numpy as np
import pytest

from keras_plex.metrics import OracleCollaborativeAUC
from keras_plex.metrics.threshold_curve import AREAS
from keras_plex.metrics.threshold_curve import spaced_thresholds


def value(labels, probabilities, score=None, **options):
    metric = OracleCollaborativeAUC(**options)
    score = None if score is None else np.array(score)
    metric.update_state(labels, probabilities, None, score)
    return float(metric.result())


@pytest.mark.parametrize(
    "options", [{"fraction": 0.67}, {"fraction": 0.9, "max_oracle_count": 5}]
)
def test_the_number_of_the_reference(options):
    labels = [0, 0, 1, 1, 0, 1, 1, 0]
    probabilities = [0.31, 0.33, 0.42, 0.58, 0.69, 0.76, 0.84, 0.87]
    options |= {"curve": "PR", "num_thresholds": 5, "num_bins": 3}
    assert value(labels, probabilities, **options) == pytest.approx(
        0.9434595, abs=1e-6
    )


def test_the_number_of_the_reference_for_a_score():
    found = value(
        [1, 0, 0, 1],
        [0.31, 0.32, 0.83, 0.64],
        [0.1, 0.35, 0.6, 0.85],
        fraction=0.5,
        num_thresholds=4,
        num_bins=4,
    )
    assert found == pytest.approx(0.625)


def test_the_number_of_the_reference_for_an_oracle_threshold():
    found = value(
        [1, 0, 1, 1, 0, 0],
        [0.5, 0.7, 0.2, 0.4, 0.3, 0.9],
        np.linspace(0.6, 0.7, 6),
        curve="PR",
        num_thresholds=4,
        oracle_threshold=0.64,
    )
    assert found == pytest.approx(0.68188375, abs=1e-6)


def draw(size=60):
    rng = np.random.default_rng(0)
    labels = rng.integers(2, size=size)
    return labels, rng.beta(1 + labels, 2).astype("float32")


def reviewed_area(labels, probabilities, curve, count):
    """Corrects the `count` closest predictions at each inner threshold."""
    thresholds = spaced_thresholds(20)
    true, false = np.zeros(20), np.zeros(20)
    for i, threshold in enumerate(thresholds):
        positive = probabilities > threshold
        if 0 < i < 19:
            closest = np.argsort(np.abs(probabilities - threshold))[:count]
            positive[closest] = labels[closest]
        true[i] = (positive & (labels == 1)).sum()
        false[i] = (positive & (labels == 0)).sum()
    return AREAS[curve](true, false, labels.sum(), (1 - labels).sum(), np)


@pytest.mark.parametrize("curve", ["ROC", "PR"])
@pytest.mark.parametrize("fraction", [0.05, 0.3, 0.75])
def test_narrow_bins_correct_the_closest_predictions(curve, fraction):
    labels, probabilities = draw()
    expected = reviewed_area(labels, probabilities, curve, int(fraction * 60))
    found = value(
        labels,
        probabilities,
        fraction=fraction,
        curve=curve,
        num_thresholds=20,
        num_bins=100_000,
    )
    assert found == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("curve", ["ROC", "PR"])
def test_nobody_reviews_or_everything_is_reviewed(curve):
    labels, probabilities = draw()
    plain = keras.metrics.AUC(50, curve)
    plain.update_state(labels, probabilities)
    options = {"curve": curve, "num_thresholds": 50, "num_bins": 10}
    assert value(labels, probabilities, fraction=0, **options) == pytest.approx(
        float(plain.result()), abs=1e-6
    )
    found = value(labels, probabilities, fraction=1, **options)
    assert found == pytest.approx(1.0)
    found = value(labels, probabilities, oracle_threshold=1.0, **options)
    assert found == pytest.approx(1.0)


def test_more_than_two_classes_ask_whether_the_prediction_is_right():
    rng = np.random.default_rng(0)
    probabilities = rng.dirichlet(np.ones(4), 80).astype("float32")
    labels = rng.integers(4, size=80)
    right = (probabilities.argmax(-1) == labels).astype(int)
    options = {"num_thresholds": 30, "num_bins": 50, "fraction": 0.1}
    assert value(labels, probabilities, **options) == pytest.approx(
        value(right, probabilities.max(-1), **options), abs=1e-6
    )


def test_one_kind_alone_gives_nan():
    assert np.isnan(value([1, 1], [0.2, 0.3], num_thresholds=5, num_bins=5))


def test_a_nan_score_makes_the_result_nan():
    options = {"num_thresholds": 5, "num_bins": 5}
    assert np.isnan(value([0, 1], [0.2, 0.3], [0.1, np.nan], **options))
    assert np.isfinite(value([0, 1], [0.2, 0.3], [0.1, 0.2], **options))


def test_scores_must_fit_the_predictions():
    with pytest.raises(ValueError, match="`score` must have one row per"):
        value([0, 1], [0.2, 0.3], [0.1])


@pytest.mark.parametrize(
    "options, message",
    [
        ({"fraction": 2}, r"`fraction` must lie in \[0, 1\]"),
        ({"curve": "auc"}, '`curve` must be "ROC" or "PR"'),
        ({"num_thresholds": 1}, "`num_thresholds` must be an integer of at"),
        ({"num_bins": 0}, "`num_bins` must be a positive integer"),
        ({"max_oracle_count": -1}, "`max_oracle_count` must be an integer"),
        ({"oracle_threshold": 1.5}, r"`oracle_threshold` must lie in \[0, 1"),
        ({"oracle_threshold": -0.5}, r"`oracle_threshold` must lie in \[0, 1"),
    ],
)
def test_bad_arguments_are_errors(options, message):
    with pytest.raises(ValueError, match=message):
        OracleCollaborativeAUC(**options)
