"""The distance from annotators, against SciPy and arithmetic."""

import numpy as np
import pytest
from scipy import stats

from keras_plex.tasks import LabelUncertainty
from tests.task_cases import TEST
from tests.task_cases import linear_model
from tests.task_cases import logits_model
from tests.task_cases import softmax

X, Y = TEST
ANNOTATORS = softmax(np.random.default_rng(3).normal(0, 2, X.shape))


def test_numbers_equal_scipy():
    task = LabelUncertainty((X, ANNOTATORS))
    measured = task.measure(task.predict(logits_model()))
    forecast = softmax(X.astype("float64"))
    kl = stats.entropy(ANNOTATORS, forecast, axis=-1).mean()
    assert measured["kl"] == pytest.approx(kl, abs=1e-5)
    nll = -np.sum(ANNOTATORS * np.log(forecast), -1).mean()
    assert measured["nll"] == pytest.approx(nll, abs=1e-5)
    agree = ANNOTATORS[np.arange(len(X)), forecast.argmax(-1)].mean()
    assert measured["accuracy"] == pytest.approx(agree, abs=1e-6)
    correlation = stats.spearmanr(
        stats.entropy(forecast, axis=-1), stats.entropy(ANNOTATORS, axis=-1)
    )
    assert measured["entropy_correlation"] == pytest.approx(
        correlation.statistic, abs=1e-4
    )


def test_hard_labels_have_no_entropy_to_correlate_with():
    task = LabelUncertainty((X, np.eye(4)[Y]))
    measured = task.measure(task.predict(logits_model()))
    assert np.isnan(measured["entropy_correlation"])
    assert measured["kl"] == pytest.approx(measured["nll"])


@pytest.mark.parametrize("labels", [Y, ANNOTATORS[:, :3]])
def test_other_labels_are_refused_with_the_shape_that_is_needed(labels):
    task = LabelUncertainty((X, labels))
    with pytest.raises(ValueError, match=r"\(examples, 4\)"):
        task.predict(logits_model())


def test_forecasts_of_one_annotator_in_two_cost_ln_2():
    x = np.zeros((3, 2), "float32")
    task = LabelUncertainty((x, np.eye(2)[[0, 1, 1]]))
    measured = task.measure(task.predict(linear_model(np.eye(2))))
    assert measured["kl"] == pytest.approx(np.log(2), abs=1e-6)


def test_the_curve_has_both_entropies_of_some_examples():
    annotators = np.tile([[0.5, 0.5], [1.0, 0.0]], (300, 1))
    inputs = np.log(np.maximum(annotators, 1e-30)).astype("float32")
    task = LabelUncertainty((inputs, annotators.astype("float32")))
    found = task.curves(task.predict(linear_model(np.eye(2))))["entropies"]
    assert len(found["annotators"]) == 400
    np.testing.assert_allclose(
        found["annotators"], found["forecast"], atol=1e-5
    )
