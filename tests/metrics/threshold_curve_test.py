"""The areas are those of `keras.metrics.AUC`."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_plex.metrics.threshold_curve import AREAS
from keras_plex.metrics.threshold_curve import check_curve
from keras_plex.metrics.threshold_curve import spaced_thresholds


@pytest.mark.parametrize("curve", ["ROC", "PR"])
@pytest.mark.parametrize("num_thresholds", [2, 5, 200])
def test_areas_equal_those_of_keras(curve, num_thresholds):
    generator = np.random.default_rng(0)
    labels = generator.integers(2, size=200)
    scores = np.clip(generator.normal(0.4 + 0.2 * labels, 0.2), 0, 1)
    reference = keras.metrics.AUC(num_thresholds, curve)
    reference.update_state(labels, scores)
    above = scores[:, None] > spaced_thresholds(num_thresholds)
    true, false = above[labels == 1].sum(0), above[labels == 0].sum(0)
    area = AREAS[curve](true, false, labels.sum(), (1 - labels).sum(), np)
    assert area == pytest.approx(float(reference.result()), abs=1e-6)
    counts = [ops.cast(x, "float32") for x in (true, false)]
    totals = float(labels.sum()), float((1 - labels).sum())
    assert float(AREAS[curve](*counts, *totals, ops)) == pytest.approx(
        area, abs=1e-6
    )


def test_thresholds_reach_past_both_ends():
    thresholds = spaced_thresholds(5)
    assert thresholds == pytest.approx([0, 0.25, 0.5, 0.75, 1], abs=1e-6)
    assert thresholds[0] < 0 and thresholds[-1] > 1


def test_other_curves_are_an_error():
    with pytest.raises(ValueError, match='"ROC" or "PR". Received: curve'):
        check_curve("DET")
