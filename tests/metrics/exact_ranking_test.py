"""Rankings without bins equal scikit-learn's to the last digits."""

import keras
import numpy as np
import pytest
from sklearn import metrics

from keras_plex.metrics.exact_ranking import exact_auroc
from keras_plex.metrics.exact_ranking import exact_average_precision
from keras_plex.metrics.exact_ranking import exact_fpr
from keras_plex.metrics.exact_ranking import quantised_area
from keras_plex.metrics.sorted_kinds import sort_kinds


def draw(seed, ties):
    rng = np.random.default_rng(seed)
    is_ood = rng.integers(2, size=300)
    is_ood[:2] = 0, 1
    scores = rng.integers(9, size=300) if ties else rng.normal(is_ood)
    return scores, is_ood, rng.uniform(size=300)


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_values_equal_those_of_scikit_learn(ties, weighted, seed):
    scores, is_ood, weights = draw(seed, ties)
    weights = weights if weighted else None
    kinds = sort_kinds(scores, is_ood, weights)
    arguments = {"y_score": scores, "sample_weight": weights}
    assert exact_auroc(kinds) == pytest.approx(
        metrics.roc_auc_score(is_ood, **arguments), abs=1e-12
    )
    assert exact_average_precision(kinds) == pytest.approx(
        metrics.average_precision_score(is_ood, **arguments), abs=1e-12
    )
    false, true, _ = metrics.roc_curve(
        is_ood, **arguments, drop_intermediate=False
    )
    for tpr in (0.3, 0.95, 1.0):
        # Sums in another order may fall short of 1 by a rounding.
        expected = false[np.argmax(true >= tpr - 1e-12)]
        assert exact_fpr(kinds, tpr) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("curve", ["ROC", "PR"])
def test_quantised_areas_equal_those_of_keras(curve):
    _, is_ood, weights = draw(0, False)
    scores = np.random.default_rng(1).beta(1 + is_ood, 2)
    reference = keras.metrics.AUC(50, curve)
    reference.update_state(is_ood, scores, weights)
    kinds = sort_kinds(scores, is_ood, weights)
    assert quantised_area(kinds, 50, curve) == pytest.approx(
        float(reference.result()), abs=1e-6
    )


def test_thresholds_need_scores_between_0_and_1():
    kinds = sort_kinds([0.0, 1.5], [0, 1], None)
    with pytest.raises(ValueError, match=r"for scores in \[0, 1\].*0 to 1.5"):
        quantised_area(kinds, 200, "ROC")


@pytest.mark.parametrize("num_thresholds", [1, 2.0, True])
def test_there_are_at_least_two_thresholds(num_thresholds):
    kinds = sort_kinds([0.0, 0.5], [0, 1], None)
    with pytest.raises(ValueError, match="integer of at least 2, or None"):
        quantised_area(kinds, num_thresholds, "ROC")


@pytest.mark.parametrize("weight", [1.0, 0.1, 0.3, 1 / 3])
def test_the_scale_of_the_weights_does_not_matter(weight):
    scores = np.concatenate([np.arange(10.0), np.arange(10.0)])
    is_ood = np.repeat([0, 1], 10)
    kinds = sort_kinds(scores, is_ood, np.full(20, weight))
    for tpr in (0.7, 0.8, 0.9):
        assert exact_fpr(kinds, tpr) == pytest.approx(tpr, abs=1e-12)
