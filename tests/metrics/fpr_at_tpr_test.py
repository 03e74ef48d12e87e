"""The streaming false positive rate; see ood_histogram_test.py for more."""

import numpy as np
import pytest

from keras_plex.metrics import FPRAtTPR


def value(is_ood, scores, **options):
    metric = FPRAtTPR(**options)
    metric.update_state(is_ood, scores)
    return float(metric.result())


def test_takes_the_highest_threshold_that_finds_enough():
    # From the top: OOD, known, OOD, known.
    assert value([0, 0, 1, 1], [1, 3, 2, 4], tpr=0.5) == 0.0
    assert value([0, 0, 1, 1], [1, 3, 2, 4], tpr=0.51) == 0.5
    assert value([0, 0, 1, 1], [1, 3, 2, 4]) == 0.5


def test_all_of_the_ood_examples_can_be_asked_for():
    scores = np.arange(200.0)
    assert value(np.arange(200) % 2, scores, tpr=1.0) == pytest.approx(0.99)


def test_no_false_alarm_is_an_exact_zero():
    assert value([0, 0, 1, 1], [0.1, 0.2, 0.3, 0.4]) == 0.0


@pytest.mark.parametrize("tpr", [0.0, 1.01, np.nan, "0.95", None])
def test_tpr_must_be_a_positive_share(tpr):
    with pytest.raises(ValueError, match=r"`tpr` must lie in \(0, 1\]"):
        FPRAtTPR(tpr=tpr)
