"""Ranking metrics of bins equal those of tied scores, and bound the rest."""

import itertools

import numpy as np
import pytest
from keras import ops
from sklearn import metrics

from keras_plex.metrics import auroc
from keras_plex.metrics import average_precision
from keras_plex.metrics import fpr_at_tpr
from keras_plex.metrics.tied_ranking import auroc_error
from keras_plex.metrics.tied_ranking import average_precision_error
from keras_plex.metrics.tied_ranking import binned_auroc
from keras_plex.metrics.tied_ranking import binned_average_precision
from keras_plex.metrics.tied_ranking import binned_fpr
from keras_plex.metrics.tied_ranking import fpr_error

NEGATIVE, POSITIVE = [3.0, 2.0, 0.0, 1.0], [1.0, 2.0, 0.0, 1.0]


def tensors(*histograms):
    return [ops.convert_to_tensor(x, "float32") for x in histograms]


def as_examples(negative, positive):
    """A score for each unit of weight: its bin."""
    bins = np.arange(len(negative))
    scores = [
        i
        for counts in (negative, positive)
        for i in bins
        for _ in range(int(counts[i]))
    ]
    is_ood = np.arange(len(scores)) >= sum(negative)
    return np.array(scores, float), is_ood.astype(int)


def test_a_bin_is_a_group_of_ties():
    histograms = tensors(NEGATIVE, POSITIVE)
    scores, is_ood = as_examples(NEGATIVE, POSITIVE)
    assert float(binned_auroc(*histograms)) == pytest.approx(
        metrics.roc_auc_score(is_ood, scores)
    )
    assert float(binned_average_precision(*histograms)) == pytest.approx(
        metrics.average_precision_score(is_ood, scores)
    )
    assert float(binned_fpr(*histograms, 0.7)) == pytest.approx(
        fpr_at_tpr(scores, is_ood, 0.7)
    )


ERRORS = {
    auroc: (binned_auroc, auroc_error),
    average_precision: (binned_average_precision, average_precision_error),
    fpr_at_tpr: (
        lambda *histograms: binned_fpr(*histograms, 0.95),
        lambda *histograms: fpr_error(*histograms, 0.95),
    ),
}


@pytest.mark.parametrize("exact", ERRORS, ids=lambda exact: exact.__name__)
def test_the_bound_holds_for_every_order_within_the_bins(exact):
    negative, positive = [2.0, 1.0], [1.0, 2.0]
    binned, error = ERRORS[exact]
    value = float(binned(*tensors(negative, positive)))
    bound = float(error(*tensors(negative, positive)))
    scores, is_ood = as_examples(negative, positive)
    worst = 0.0
    # Also ties within the bin: an average precision can rise with them.
    for shifts in itertools.product([0.0, 0.3, 0.6], repeat=len(scores)):
        distance = abs(exact(scores + np.array(shifts), is_ood) - value)
        worst = max(worst, distance)
    assert worst <= bound + 1e-6
    assert worst > 0.7 * bound  # and it says something


def test_nothing_is_lost_where_no_bin_holds_both_kinds():
    histograms = tensors([3.0, 0.0, 2.0, 0.0], [0.0, 1.0, 0.0, 1.0])
    assert float(auroc_error(*histograms)) == 0.0
    assert float(fpr_error(*histograms, 0.95)) == 0.0


@pytest.mark.parametrize("tpr", [0.05, 0.5, 0.95, 1.0])
def test_a_rate_that_is_met_exactly_is_met_in_float32(tpr):
    bins = np.arange(100)
    positive = np.ones(100)
    histograms = tensors(np.ones(100), positive)
    assert float(binned_fpr(*histograms, tpr)) == pytest.approx(tpr)
    scores = np.concatenate([bins, bins])
    is_ood = np.concatenate([0 * bins, 0 * bins + 1])
    assert fpr_at_tpr(scores, is_ood, tpr) == pytest.approx(tpr)


@pytest.mark.parametrize("exact", ERRORS, ids=lambda exact: exact.__name__)
@pytest.mark.parametrize("empty", [0, 1])
def test_one_kind_alone_gives_nan(exact, empty):
    histograms = [np.ones(4), np.ones(4)]
    histograms[empty] = np.zeros(4)
    for function in ERRORS[exact]:
        assert np.isnan(float(function(*tensors(*histograms))))
