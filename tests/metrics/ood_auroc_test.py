"""The streaming AUROC stays within its bound of the exact one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
from keras import ops

from keras_plex.metrics import OODAUROC
from keras_plex.metrics import auroc
from keras_plex.metrics.ood_auroc import score_bin
from keras_plex.predictions import Predictions
from keras_plex.scores import SCORES


def streamed(is_ood, y_pred, **options):
    metric = OODAUROC(**options)
    metric.update_state(is_ood, y_pred)
    return metric


def value(is_ood, y_pred, **options):
    return float(streamed(is_ood, y_pred, **options).result())


def test_counts_the_pairs_in_order():
    assert value([0, 0, 1, 1], [0.2, 0.4, 0.35, 0.1]) == 0.25
    assert value([0, 1], [0.1, 0.2]) == 1.0
    assert value([0, 1], [0.2, 0.1]) == 0.0
    assert value([0, 1], [0.2, 0.2]) == 0.5


def test_negative_scores_rank_below_positive_ones():
    scores = [-20.0, -3.0, -1e-6, 0.0, 1e-6, 5.0]
    assert value([0, 0, 0, 1, 1, 1], scores) == 1.0


def test_clustered_scores_stay_apart():
    # The 200 thresholds of a usual streaming AUC call these two equal.
    assert value([0, 1], [0.353238, 0.353976]) == 1.0


def test_saturated_scores_stay_apart():
    scores = np.float32([0.0, 6e-8, 1.2e-7, 1.8e-7, 2.4e-7])
    assert value([0, 0, 1, 1, 1], scores) == 1.0
    assert value([0, 1], [1e-30, 2e-30]) == 1.0


def test_large_and_infinite_scores_stay_apart():
    assert value([0, 0, 1, 1], [1e5, 1.1e5, 1.2e5, 1e30]) == 1.0
    assert value([0, 1, 1], [-np.inf, 3.0, np.inf]) == 1.0


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 999),
    scale=st.sampled_from([1e-9, 1e-3, 1.0, 1e4]),
    num_bins=st.sampled_from([2, 8, 256, 65536]),
)
def test_is_within_its_bound_of_the_exact_value(seed, scale, num_bins):
    rng = np.random.default_rng(seed)
    is_ood = np.arange(80) % 2
    scores = rng.normal(is_ood, 1.0).astype("float32") * np.float32(scale)
    metric = streamed(is_ood, scores, num_bins=num_bins)
    error = abs(float(metric.result()) - auroc(scores, is_ood))
    assert error <= float(metric.error_bound()) + 1e-6


def test_the_bound_is_half_the_share_of_pairs_in_one_bin():
    # Pairs: (.5, .5) in one bin, (.5, .9) not.
    metric = streamed([0, 1, 1], [0.5, 0.5, 0.9])
    assert float(metric.error_bound()) == pytest.approx(0.25)


def test_the_bound_is_small_for_spread_scores():
    rng = np.random.default_rng(0)
    is_ood = np.arange(20_000) % 2
    scores = rng.beta(1 + is_ood, 2)
    metric = streamed(is_ood, scores)
    assert float(metric.error_bound()) < 1e-4
    assert float(metric.result()) == pytest.approx(
        auroc(scores, is_ood), abs=1e-4
    )


@settings(max_examples=25, deadline=None)
@given(
    scores=st.lists(st.floats(width=32, allow_nan=False), min_size=1),
    num_bins=st.sampled_from([2, 4, 100, 65536]),
)
def test_bins_never_reverse_an_order(scores, num_bins):
    scores = np.sort(np.float32(scores))
    index = score_bin(ops.convert_to_tensor(scores), num_bins)
    index = ops.convert_to_numpy(index)
    assert (np.diff(index) >= 0).all()
    assert 0 <= index.min() and index.max() < num_bins


@pytest.mark.parametrize(
    "name", ["msp", "entropy", "max_logit", "mutual_information"]
)
def test_a_named_score_is_computed_from_the_predictions(name):
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(60, 3, 4)).astype("float32")
    is_ood = np.arange(60) % 2
    predictions = Predictions.from_outputs(logits, "softmax_logits")
    expected = auroc(SCORES[name](predictions), is_ood)
    metric = streamed(is_ood, logits, score=name, from_logits=True)
    assert float(metric.result()) == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("shape", [(4,), (4, 1)])
def test_a_named_score_reads_one_unit(shape):
    probabilities = np.reshape([0.99, 0.02, 0.6, 0.45], shape)
    assert value([0, 0, 1, 1], probabilities, score="msp") == 1.0


def test_predictions_that_are_no_forecast_give_nan():
    logits = [[3.0, -1.0], [1.0, 2.0]]
    assert np.isnan(value([0, 1], logits, score="msp"))


def test_one_kind_alone_gives_nan():
    metric = streamed([1, 1], [0.1, 0.2])
    assert np.isnan(float(metric.result()))
    assert np.isnan(float(metric.error_bound()))


def test_predictions_without_a_named_score_are_an_error():
    with pytest.raises(ValueError, match='such as `score="msp"`. Received'):
        value([0, 1], [[0.5, 0.5], [0.4, 0.6]])


def test_from_logits_without_a_named_score_is_an_error():
    with pytest.raises(ValueError, match="needs a named score"):
        OODAUROC(from_logits=True)


def test_an_unknown_score_is_an_error_at_once():
    with pytest.raises(ValueError, match="Unknown score: 'best'.*'msp'"):
        OODAUROC("best")


@pytest.mark.parametrize("num_bins", [0, 3, -2, 4.0])
def test_num_bins_must_be_even(num_bins):
    with pytest.raises(ValueError, match="`num_bins` must be an even"):
        OODAUROC(num_bins=num_bins)
