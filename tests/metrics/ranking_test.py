"""Exact ranking metrics: published numbers, pairs, errors."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_plex.metrics import auroc
from keras_plex.metrics import average_precision
from keras_plex.metrics import fpr_at_tpr

SCORES = np.array([0.2, 0.4, 0.35, 0.1])
IS_OOD = np.array([0, 0, 1, 1])

each_function = pytest.mark.parametrize(
    "function", [auroc, average_precision, fpr_at_tpr]
)


def test_published_numbers():
    assert auroc(SCORES, IS_OOD) == 0.25
    assert average_precision(SCORES, IS_OOD) == 0.5
    assert fpr_at_tpr(SCORES, IS_OOD) == 1.0


def test_perfect_separation():
    scores = [0.1, 0.2, 0.8, 0.9]
    assert auroc(scores, IS_OOD) == 1.0
    assert average_precision(scores, IS_OOD) == 1.0
    assert fpr_at_tpr(scores, IS_OOD) == 0.0


def test_equal_scores_are_chance():
    assert auroc([0.5] * 4, IS_OOD) == 0.5
    assert average_precision([0.5] * 4, IS_OOD) == 0.5
    assert fpr_at_tpr([0.5] * 4, IS_OOD) == 1.0


def test_fpr_takes_the_highest_threshold_that_finds_enough():
    # From the top: OOD, known, OOD, known.
    assert fpr_at_tpr([1, 3, 2, 4], IS_OOD, tpr=0.5) == 0.0
    assert fpr_at_tpr([1, 3, 2, 4], IS_OOD, tpr=0.51) == 0.5


@given(
    scores=st.lists(st.integers(0, 5), min_size=4, max_size=12),
    num_ood=st.integers(1, 3),
)
def test_auroc_is_the_share_of_pairs_in_order(scores, num_ood):
    is_ood = np.arange(len(scores)) < num_ood
    scores = np.array(scores)
    gap = scores[is_ood][:, None] - scores[~is_ood][None, :]
    expected = (gap > 0).mean() + 0.5 * (gap == 0).mean()
    assert auroc(scores, is_ood) == pytest.approx(expected)


@given(scores=st.lists(st.floats(-1e3, 1e3, width=16), min_size=4, max_size=20))
def test_a_monotone_map_of_the_scores_changes_nothing(scores):
    scores = np.array(scores)
    is_ood = np.arange(len(scores)) % 2
    for mapped in (np.arctan(scores / 1e3), 2.0**-60 * scores, scores + 1e4):
        if len(np.unique(mapped)) < len(np.unique(scores)):
            continue  # rounding made ties
        for function in (auroc, average_precision, fpr_at_tpr):
            assert function(mapped, is_ood) == function(scores, is_ood)


# The scores, what is positive, the area with 10 thresholds; Keras's rows.
CORRECT = [1, 0, 0, 0, 1]
QUANTISED = [
    (auroc, [1, 0, 0, 0, 1], 1.0),
    (auroc, [1, 0, 0, 0.1, 0], 0.75),
    (auroc, [1, 0.5, 0.5, 0.5, 0], 0.5),
    (auroc, [0.5] * 5, 0.5),
    (auroc, [0.1, 0.9, 0.9, 0.9, 0.1], 0.0),
    (average_precision, [1, 0, 0, 0, 1], 1.0),
    (average_precision, [1, 0, 0, 0.1, 1], 1.0),
    (average_precision, [1, 0.8, 0.5, 0.1, 0.5], 0.75),
    (average_precision, [0.5] * 5, 0.4),
    (average_precision, [0.1, 0.9, 0.9, 0.9, 0.1], 0.2338),
]


@pytest.mark.parametrize("function, scores, expected", QUANTISED)
def test_thresholds_give_the_values_of_the_reference(
    function, scores, expected
):
    found = function(scores, CORRECT, num_thresholds=10)
    assert found == pytest.approx(expected, abs=5e-5)


def test_200_thresholds_do_not_tell_clustered_scores_apart():
    scores, is_ood = [0.353238, 0.353976], [0, 1]
    assert auroc(scores, is_ood, num_thresholds=200) == 0.5
    assert auroc(scores, is_ood) == 1.0


def test_an_integer_weight_repeats_an_example():
    rng = np.random.default_rng(0)
    scores, is_ood = rng.integers(9, size=40), np.arange(40) % 2
    counts = rng.integers(4, size=40)
    rows = np.array([i for i in range(40) for _ in range(counts[i])])
    for function in (auroc, average_precision, fpr_at_tpr):
        assert function(scores, is_ood, sample_weight=counts) == pytest.approx(
            function(scores[rows], is_ood[rows]), abs=1e-13
        )


def test_infinite_scores_rank_last_and_first():
    assert auroc([-np.inf, 0.0, 1.0, np.inf], IS_OOD) == 1.0


@each_function
def test_lengths_must_agree(function):
    with pytest.raises(ValueError, match="vectors of one length"):
        function(SCORES, IS_OOD[:3])
    with pytest.raises(ValueError, match="vectors of one length"):
        function(SCORES[:, None], IS_OOD[:, None])


@each_function
def test_empty_scores_are_an_error(function):
    with pytest.raises(ValueError, match="`scores` is empty"):
        function([], [])


@each_function
def test_nan_scores_are_an_error(function):
    with pytest.raises(ValueError, match="must not hold NaN. Received: 1 of 4"):
        function([0.1, np.nan, 0.3, 0.4], IS_OOD)


@each_function
def test_other_labels_are_an_error(function):
    with pytest.raises(ValueError, match="1 for OOD and 0 for in-distribution"):
        function(SCORES, [0, 1, 2, 3])


@each_function
def test_one_kind_alone_is_an_error(function):
    with pytest.raises(ValueError, match=r"no in-distribution \(0\) example"):
        function(SCORES, [1, 1, 1, 1])
    with pytest.raises(ValueError, match=r"no OOD \(1\) example"):
        function(SCORES, [0, 0, 0, 0])


@pytest.mark.parametrize("tpr", [0.0, 1.01, np.nan])
def test_tpr_must_be_a_positive_share(tpr):
    with pytest.raises(ValueError, match=r"`tpr` must lie in \(0, 1\]"):
        fpr_at_tpr(SCORES, IS_OOD, tpr=tpr)
