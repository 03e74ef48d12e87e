"""Exact selective metrics: brute force, and one test per message."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as reference

from keras_plex import metrics
from keras_plex.metrics import calibration_auc
from keras_plex.metrics import oracle_collaborative_accuracy
from keras_plex.metrics import oracle_collaborative_auc
from keras_plex.metrics import risk_coverage_auc
from keras_plex.metrics import risk_coverage_curve
from keras_plex.metrics import selective_accuracy
from tests import ranking_cases


def draw(seed=0, size=200, ties=False):
    """Labels, probabilities, and from the most confident on the errors."""
    rng = np.random.default_rng(seed)
    probabilities = rng.dirichlet(np.ones(4), size)
    if ties:
        probabilities = rng.choice(probabilities[:5], size)
    labels = rng.integers(4, size=size)
    wrong = (probabilities.argmax(-1) != labels).astype(float)
    return labels, probabilities, 1 - probabilities.max(-1), wrong


def sorted_errors():
    labels, probabilities, uncertainty, wrong = draw()
    return labels, probabilities, wrong[np.argsort(uncertainty)]


@pytest.mark.parametrize("ties", [False, True])
def test_calibration_auc_equals_scikit_learn(ties):
    labels, probabilities, uncertainty, wrong = draw(ties=ties)
    uncertainty = uncertainty.round(12)  # ties are ties again
    assert calibration_auc(labels, probabilities) == pytest.approx(
        reference.roc_auc_score(wrong, uncertainty), abs=1e-12
    )
    found = calibration_auc(labels, probabilities, curve="PR")
    expected = reference.average_precision_score(wrong, uncertainty)
    assert found == pytest.approx(expected, abs=1e-12)
    found = calibration_auc(
        labels, probabilities, curve="PR", positive="correct"
    )
    expected = reference.average_precision_score(1 - wrong, -uncertainty)
    assert found == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("positive", ["incorrect", "correct"])
def test_thresholds_tie_clustered_confidences(positive):
    probabilities = [[0.646024, 0.353976], [0.646762, 0.353238]]
    options = {"positive": positive, "num_thresholds": 200}
    assert calibration_auc([1, 0], probabilities, **options) == 0.5
    assert calibration_auc([1, 0], probabilities, positive=positive) == 1.0


def test_risks_are_error_rates_of_the_most_confident():
    labels, probabilities, errors = sorted_errors()
    risks = np.cumsum(errors) / np.arange(1, 201)
    curve = risk_coverage_curve(labels, probabilities)
    assert curve.coverage == pytest.approx(np.arange(1, 201) / 200)
    assert curve.risk == pytest.approx(risks)
    area = risk_coverage_auc(labels, probabilities)
    assert area == pytest.approx(risks.mean(), abs=1e-13)
    best = np.cumsum(np.sort(errors)) / np.arange(1, 201)
    excess = risk_coverage_auc(labels, probabilities, excess=True)
    assert excess == pytest.approx((risks - best).mean(), abs=1e-13)


def test_the_curve_has_the_area_also_with_ties():
    labels, probabilities, *_ = draw(ties=True)
    risks = risk_coverage_curve(labels, probabilities).risk
    area = risk_coverage_auc(labels, probabilities)
    assert area == pytest.approx(risks.mean(), abs=1e-13)


def test_tied_errors_have_the_mean_area_over_their_orders():
    labels, probabilities, uncertainty, wrong = draw(size=12, ties=True)
    rng = np.random.default_rng(0)
    groups = np.unique(uncertainty.round(12), return_inverse=True)[1]
    areas = []
    for _ in range(20_000):
        order = np.lexsort([rng.uniform(size=12), groups])
        areas.append((np.cumsum(wrong[order]) / np.arange(1, 13)).mean())
    assert risk_coverage_auc(labels, probabilities) == pytest.approx(
        np.mean(areas), abs=5 * np.std(areas) / 20_000**0.5
    )


@pytest.mark.parametrize("coverage", [0.1, 0.5, 0.995, 1.0])
def test_selective_accuracy_is_that_of_the_most_confident(coverage):
    labels, probabilities, errors = sorted_errors()
    count = int(200 * coverage)
    found = selective_accuracy(labels, probabilities, coverage=coverage)
    assert found == pytest.approx(1 - errors[:count].mean(), abs=1e-12)


@pytest.mark.parametrize("fraction", [0.0, 0.01, 0.29, 0.501, 1.0])
def test_the_oracle_solves_the_least_confident(fraction):
    labels, probabilities, errors = sorted_errors()
    count = {0.0: 0, 0.01: 2, 0.29: 58, 0.501: 100, 1.0: 200}[fraction]
    found = oracle_collaborative_accuracy(
        labels, probabilities, fraction=fraction
    )
    expected = 1 - errors[: 200 - count].sum() / 200
    assert found == pytest.approx(expected, abs=1e-12)


FUNCTIONS = [
    calibration_auc,
    risk_coverage_auc,
    selective_accuracy,
    oracle_collaborative_accuracy,
]
each_function = pytest.mark.parametrize(
    "function", FUNCTIONS, ids=lambda function: function.__name__
)


@each_function
@given(seed=st.integers(0, 99))
def test_only_the_order_of_the_confidences_matters(function, seed):
    labels, probabilities = ranking_cases.draw_forecasts("spread", seed)
    squared = np.square(probabilities[:, 1].astype("float64"))
    squared = np.stack([1 - squared, squared], axis=1)
    assert function(labels, probabilities) == function(labels, squared)


@each_function
def test_an_integer_weight_repeats_an_example(function):
    labels, probabilities, *_ = draw(size=50)
    counts = np.arange(50) % 4
    rows = np.array([i for i in range(50) for _ in range(counts[i])])
    weighted = function(labels, probabilities, sample_weight=counts)
    repeated = function(labels[rows], probabilities[rows])
    assert weighted == pytest.approx(repeated, abs=1e-12)


def test_the_array_form_of_oracle_auc_is_the_metric():
    rng = np.random.default_rng(0)
    labels, probabilities = rng.integers(2, size=9000), rng.uniform(size=9000)
    weights, score = rng.uniform(size=(2, 9000))
    options = {"num_thresholds": 5, "num_bins": 7, "fraction": 0.2}
    metric = metrics.OracleCollaborativeAUC(**options)
    metric.update_state(labels, probabilities, weights, score)
    found = oracle_collaborative_auc(
        labels, probabilities, score=score, sample_weight=weights, **options
    )
    assert found == pytest.approx(float(metric.result()), abs=1e-5)


def test_functions_are_exported_and_not_the_files_of_their_names():
    for function in (*FUNCTIONS, metrics.fpr_at_tpr, oracle_collaborative_auc):
        assert getattr(metrics, function.__name__) is function
        assert callable(function)


def test_calibration_auc_needs_right_and_wrong_predictions():
    with pytest.raises(ValueError, match="right and wrong.*error rate 0"):
        calibration_auc([0, 0], [[0.7, 0.3], [0.6, 0.4]])
    with pytest.raises(ValueError, match="right and wrong.*error rate 1"):
        calibration_auc([1, 1], [[0.7, 0.3], [0.6, 0.4]])


def test_oracle_auc_needs_both_kinds():
    with pytest.raises(ValueError, match="examples of both kinds"):
        oracle_collaborative_auc([1, 1], [0.3, 0.4])


@pytest.mark.parametrize(
    "score, message",
    [([0.1], "one number per example"), ([0.1, 1.5], r"must lie in \[0, 1\]")],
)
def test_a_score_is_a_number_between_0_and_1_per_example(score, message):
    with pytest.raises(ValueError, match=message):
        oracle_collaborative_auc([0, 1], [0.3, 0.4], score=score)


@each_function
def test_nan_and_empty_forecasts_are_errors(function):
    with pytest.raises(ValueError, match="must not hold NaN"):
        function([0, 1], [[0.5, 0.5], [np.nan, 0.5]])
    with pytest.raises(ValueError, match="is empty"):
        function([], np.zeros((0, 2)))


@pytest.mark.parametrize(
    "function, options, message",
    [
        (calibration_auc, {"curve": "X"}, '"ROC" or "PR"'),
        (calibration_auc, {"positive": "X"}, '"incorrect" or "correct"'),
        (selective_accuracy, {"coverage": 0}, r"lie in \(0, 1\]"),
        (oracle_collaborative_accuracy, {"fraction": -1}, r"in \[0, 1\]"),
        (oracle_collaborative_accuracy, {"num_bins": 0}, "1 to 1000"),
        (oracle_collaborative_accuracy, {"threshold": 2}, r"in \[0, 1\]"),
    ],
)
def test_bad_arguments_are_errors(function, options, message):
    with pytest.raises(ValueError, match=message):
        function([0, 1], [0.3, 0.4], **options)
