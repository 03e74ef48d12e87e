"""Bins keep the order of scores; a state holds both kinds, or NaN."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
from keras import ops

from keras_plex.metrics import OODAUROC
from keras_plex.metrics.score_histogram import ScoreHistogram
from keras_plex.metrics.score_histogram import score_bin


class Shares(ScoreHistogram):
    """The share of positives, whose bound is the number of bins in use."""

    def value(self, negative, positive):
        return ops.sum(positive) / ops.sum(negative + positive)

    def bound(self, negative, positive):
        return ops.sum(ops.cast(negative + positive > 0, "float32"))


def added(scores, positive, weights):
    metric = Shares()
    columns = [
        ops.convert_to_tensor(column, "float32")
        for column in (scores, positive, weights)
    ]
    metric.add(*columns)
    return metric


def test_an_example_may_be_positive_in_part():
    metric = added([1.0, 2.0], [0.25, 1.0], [2.0, 1.0])
    assert float(metric.result()) == pytest.approx(1.5 / 3)
    assert float(metric.error_bound()) == 2.0


@pytest.mark.parametrize(
    "score, positive", [(np.nan, 0), (1.0, 2), (1.0, -1), (1.0, np.nan)]
)
def test_what_is_no_example_makes_result_and_bound_nan(score, positive):
    metric = added([1.0, score], [1.0, positive], [1.0, 1.0])
    assert np.isnan(float(metric.result()))
    assert np.isnan(float(metric.error_bound()))
    metric = added([1.0, score], [1.0, positive], [1.0, 0.0])
    assert float(metric.result()) == 1.0


@settings(max_examples=25)
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
    "score, width", [(1.0, 2e-4), (1e-3, 2e-3), (1e3, 2e-3), (1e-7, 1e-2)]
)
def test_bins_are_as_narrow_as_documented(score, width):
    scores = ops.convert_to_tensor([score, score * (1 + width)], "float32")
    first, second = ops.convert_to_numpy(score_bin(scores, 65536))
    assert second > first


def test_more_examples_than_float32_counts():
    # 1 + 2^-25 of the weight is lost in float32 alone.
    metric = OODAUROC()
    for _ in range(3):
        metric.update_state([0, 1, 1], [0.5, 0.2, 0.9], [2.0**24, 1.0, 1.0])
    assert float(ops.sum(metric.totals()[1])) == 6.0


@pytest.mark.parametrize("num_bins", [0, 3, -2, 4.0, True])
def test_num_bins_must_be_even(num_bins):
    with pytest.raises(ValueError, match="`num_bins` must be an even"):
        Shares(num_bins=num_bins)
