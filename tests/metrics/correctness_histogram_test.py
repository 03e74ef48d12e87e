"""All streaming selective metrics: near the exact values, in any form."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from keras_plex import metrics
from tests import ranking_cases

# A metric, its arguments, the exact function and its arguments.
CASES = {
    "calibration_auc": (metrics.CalibrationAUC, metrics.calibration_auc, {}),
    "calibration_auc, PR": (
        metrics.CalibrationAUC,
        metrics.calibration_auc,
        {"curve": "PR"},
    ),
    "calibration_auc, PR, correct": (
        metrics.CalibrationAUC,
        metrics.calibration_auc,
        {"curve": "PR", "positive": "correct"},
    ),
    "risk_coverage_auc": (
        metrics.RiskCoverageAUC,
        metrics.risk_coverage_auc,
        {},
    ),
    "risk_coverage_auc, excess": (
        metrics.RiskCoverageAUC,
        metrics.risk_coverage_auc,
        {"excess": True},
    ),
    "selective_accuracy": (
        metrics.SelectiveAccuracy,
        metrics.selective_accuracy,
        {"coverage": 0.55},
    ),
    "oracle_collaborative_accuracy": (
        metrics.OracleCollaborativeAccuracy,
        metrics.oracle_collaborative_accuracy,
        {"fraction": 0.33},
    ),
    "oracle_collaborative_accuracy, threshold": (
        metrics.OracleCollaborativeAccuracy,
        metrics.oracle_collaborative_accuracy,
        {"fraction": 0.33, "threshold": 0.125},
    ),
}
each_case = pytest.mark.parametrize("case", CASES)


def streamed(case, y_true, y_pred, weights=None, **options):
    kind, _, arguments = CASES[case]
    metric = kind(**arguments, **options)
    metric.update_state(y_true, y_pred, weights)
    return metric


def exact(case, y_true, probabilities, weights=None):
    _, function, arguments = CASES[case]
    return function(y_true, probabilities, sample_weight=weights, **arguments)


@each_case
@pytest.mark.parametrize("uncertainties", ranking_cases.UNCERTAINTIES)
@settings(max_examples=5)
@given(seed=st.integers(0, 999))
def test_is_within_its_bound_of_the_exact_value(case, uncertainties, seed):
    labels, probabilities = ranking_cases.draw_forecasts(uncertainties, seed)
    weights = np.random.default_rng(seed).uniform(0.1, 3, 60).astype("float32")
    for weight in (None, weights):
        metric = streamed(case, labels, probabilities, weight)
        error = abs(
            float(metric.result()) - exact(case, labels, probabilities, weight)
        )
        assert error <= float(metric.error_bound()) + 2e-6


@pytest.mark.parametrize(
    "case", [case for case in CASES if "oracle" not in case]
)
@settings(max_examples=10)
@given(seed=st.integers(0, 999), num_bins=st.sampled_from([2, 64, 1024]))
def test_the_bound_holds_for_wide_bins(case, seed, num_bins):
    labels, probabilities = ranking_cases.draw_forecasts("spread", seed)
    metric = streamed(case, labels, probabilities, num_bins=num_bins)
    error = abs(float(metric.result()) - exact(case, labels, probabilities))
    assert error <= float(metric.error_bound()) + 2e-6


@each_case
def test_the_bound_is_small_for_spread_forecasts(case):
    labels, probabilities = ranking_cases.draw_forecasts("spread", size=5000)
    metric = streamed(case, labels, probabilities)
    assert 0 <= float(metric.error_bound()) < 1e-3


@each_case
def test_soft_labels_and_members_equal_the_exact_values(case):
    rng = np.random.default_rng(0)
    labels = rng.dirichlet([1, 1], 50).astype("float32")
    members = rng.dirichlet([1, 1], (50, 3)).astype("float32")
    metric = streamed(case, labels, members)
    tolerance = float(metric.error_bound()) + 1e-5
    assert float(metric.result()) == pytest.approx(
        exact(case, labels, members), abs=tolerance
    )


@each_case
def test_logits_equal_their_probabilities(case):
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(50, 3, 2)).astype("float32")
    labels = rng.integers(2, size=50)
    probabilities = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    found = streamed(case, labels, logits, from_logits=True)
    expected = streamed(case, labels, probabilities)
    assert float(found.result()) == pytest.approx(
        float(expected.result()), abs=1e-3
    )


def test_saturated_logits_still_rank():
    # Their float32 confidences are all 1.
    logits = np.array([[40.0, 0, 0], [39.0, 0, 0], [20.0, 0, 0]], "float32")
    metric = metrics.CalibrationAUC(from_logits=True)
    metric.update_state([0, 0, 1], logits)
    assert float(metric.result()) == 1.0


@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize("shape", [(3,), (3, 1), (3, 1, 1)])
def test_one_saturated_logit_still_ranks(sign, shape):
    logits = np.array([40.0, 39.0, 20.0], "float32") * sign
    labels = [1, 1, 0] if sign > 0 else [0, 0, 1]
    metric = metrics.CalibrationAUC(from_logits=True)
    metric.update_state(labels, logits.reshape(shape))
    assert float(metric.result()) == 1.0


@each_case
@pytest.mark.parametrize(
    "source, size", [("cifar10", 10_000), ("imdb", 25_000)]
)
def test_forecasts_of_real_networks(case, source, size, shared_data):
    path = shared_data / "model_outputs" / f"{source}_test_probs.npz"
    if not path.exists():
        pytest.skip(f"Needs the forecasts of a network: there is no {path}.")
    if "threshold" in case and source == "cifar10":
        pytest.skip("A threshold is for two classes.")
    with np.load(path) as arrays:
        labels, probabilities = arrays["labels"], arrays["probs"]
    metric = streamed(case, labels, probabilities)
    assert len(labels) == size
    assert float(metric.error_bound()) < 2e-3
    assert float(metric.result()) == pytest.approx(
        exact(case, labels, probabilities),
        abs=float(metric.error_bound()) + 2e-6,
    )
