"""Weights below a score, counted in sorted arrays."""

import numpy as np
import pytest

from keras_plex.metrics.sorted_kinds import sort_kinds

SCORES, IS_OOD = [3.0, 1.0, 2.0, 2.0], [0, 0, 0, 1]


def test_scores_are_counted_below_and_up_to():
    negative, positive = sort_kinds(SCORES, IS_OOD, None)
    assert negative.scores.tolist() == [1.0, 2.0, 3.0]
    assert negative.below(np.array([2.0, 9.0])).tolist() == [1, 3]
    assert negative.up_to(np.array([2.0, 0.0])).tolist() == [2, 0]
    assert (negative.total, positive.total) == (3, 1)


def test_weights_are_summed_below_and_up_to():
    negative, _ = sort_kinds(SCORES, IS_OOD, [0.5, 2.0, 1.0, 1.0])
    assert negative.below(np.array([2.0, 9.0])).tolist() == [2.0, 3.5]
    assert negative.total == 3.5
    assert negative.mean(np.array([1.0, 0.0, 2.0])) == pytest.approx(3 / 3.5)


def test_an_example_of_weight_zero_counts_for_nothing():
    kinds = sort_kinds([*SCORES, np.nan], [*IS_OOD, 7], [[1]] * 4 + [[0]])
    assert kinds.negative.total == 3


def test_weights_must_fit_the_scores():
    with pytest.raises(ValueError, match="one number per example"):
        sort_kinds(SCORES, IS_OOD, [1.0, 1.0])
    with pytest.raises(ValueError, match="must not be negative"):
        sort_kinds(SCORES, IS_OOD, [1.0, 1.0, 1.0, -1.0])
