"""All streaming OOD metrics: near the exact values, whatever the scores."""

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

import keras_plex
from keras_plex.metrics import OODAUROC
from keras_plex.metrics import FPRAtTPR
from keras_plex.metrics import OODAveragePrecision
from keras_plex.metrics import auroc
from keras_plex.metrics import average_precision
from keras_plex.metrics import fpr_at_tpr
from keras_plex.predictions import Predictions
from keras_plex.scores import SCORES
from tests import ranking_cases

EXACT = {
    OODAUROC: auroc,
    OODAveragePrecision: average_precision,
    FPRAtTPR: fpr_at_tpr,
}
each_metric = pytest.mark.parametrize(
    "kind", EXACT, ids=lambda kind: kind.__name__
)


def streamed(kind, is_ood, y_pred, weights=None, **options):
    metric = kind(**options)
    metric.update_state(is_ood, y_pred, weights)
    return metric


@each_metric
@pytest.mark.parametrize("scores_name", ranking_cases.SCORES)
@settings(max_examples=8)
@given(seed=st.integers(0, 999), num_bins=st.sampled_from([2, 256, 65536]))
def test_is_within_its_bound_of_the_exact_value(
    kind, scores_name, seed, num_bins
):
    scores, is_ood = ranking_cases.draw_scores(scores_name, seed)
    weights = np.random.default_rng(seed).uniform(0.01, 3, 60).astype("float32")
    for weight in (None, weights):
        metric = streamed(kind, is_ood, scores, weight, num_bins=num_bins)
        exact = EXACT[kind](scores, is_ood, sample_weight=weight)
        error = abs(float(metric.result()) - exact)
        assert error <= float(metric.error_bound()) + 1e-6


@each_metric
def test_distinct_bins_give_the_exact_value(kind):
    scores, is_ood = ranking_cases.draw_scores("tied")
    metric = streamed(kind, is_ood, scores)
    assert float(metric.result()) == pytest.approx(
        EXACT[kind](scores, is_ood), abs=1e-6
    )


@each_metric
def test_the_bound_is_small_for_spread_scores(kind):
    rng = np.random.default_rng(0)
    is_ood = np.arange(20_000) % 2
    scores = rng.beta(1 + is_ood, 2).astype("float32")
    metric = streamed(kind, is_ood, scores)
    assert float(metric.error_bound()) < 2e-4
    assert float(metric.result()) == pytest.approx(
        EXACT[kind](scores, is_ood), abs=2e-4
    )


@pytest.mark.parametrize(
    "name", ["msp", "entropy", "max_logit", "mutual_information"]
)
def test_a_named_score_is_computed_from_the_predictions(name):
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(60, 3, 4)).astype("float32")
    is_ood = np.arange(60) % 2
    predictions = Predictions.from_outputs(logits, "softmax_logits")
    expected = auroc(SCORES[name](predictions), is_ood)
    metric = streamed(OODAUROC, is_ood, logits, score=name, from_logits=True)
    assert float(metric.result()) == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize(
    "name", ["msp", "max_logit", "energy", "mutual_information", "disagreement"]
)
def test_a_model_is_scored_with_its_members(name):
    rng = np.random.default_rng(0)
    stock = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(8, "relu"),
            keras.layers.Dense(8, "relu"),
            keras.layers.Dense(3),
        ]
    )
    model = keras_plex.plexify(
        stock, last_blocks=2, fast_weight_stddev=1.0, head="keep", seed=0
    )
    x = rng.normal(size=(80, 4), scale=3.0).astype("float32")
    is_ood = np.arange(80) % 2
    metric = OODAUROC(name, from_logits=True, name="auroc")
    model.compile(loss=lambda y, p: keras.ops.sum(p), metrics=[metric])
    found = model.evaluate(x, is_ood, verbose=0, return_dict=True)["auroc"]
    scores = SCORES[name](model.predict_uncertainty(x))
    assert np.ptp(scores) > 0
    assert found == pytest.approx(auroc(scores, is_ood), abs=1e-3)


@pytest.mark.parametrize("shape", [(4,), (4, 1)])
def test_a_named_score_reads_one_unit(shape):
    probabilities = np.reshape([0.99, 0.02, 0.6, 0.45], shape)
    metric = streamed(OODAUROC, [0, 0, 1, 1], probabilities, score="msp")
    assert float(metric.result()) == 1.0


@each_metric
def test_predictions_that_are_no_forecast_give_nan(kind):
    logits = [[3.0, -1.0], [1.0, 2.0]]
    metric = streamed(kind, [0, 1], logits, score="msp")
    assert np.isnan(float(metric.result()))


@each_metric
def test_one_kind_alone_gives_nan(kind):
    metric = streamed(kind, [1, 1], [0.1, 0.2])
    assert np.isnan(float(metric.result()))
    assert np.isnan(float(metric.error_bound()))


@each_metric
def test_predictions_without_a_named_score_are_an_error(kind):
    with pytest.raises(ValueError, match='such as `score="msp"`. Received'):
        streamed(kind, [0, 1], [[0.5, 0.5], [0.4, 0.6]])


@each_metric
def test_from_logits_without_a_named_score_is_an_error(kind):
    with pytest.raises(ValueError, match="needs a named score"):
        kind(from_logits=True)


@each_metric
def test_an_unknown_score_is_an_error_at_once(kind):
    with pytest.raises(ValueError, match="Unknown score: 'best'.*'msp'"):
        kind("best")


def test_a_score_of_features_is_an_error_at_once():
    with pytest.raises(ValueError, match="'mahalanobis' reads features"):
        OODAUROC("mahalanobis")
