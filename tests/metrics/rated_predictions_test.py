"""Labels and forecasts of every form, read into uncertainty and errors."""

import numpy as np
import pytest

from keras_plex.metrics.rated_predictions import group_ties
from keras_plex.metrics.rated_predictions import rate_predictions
from keras_plex.metrics.rated_predictions import read_forecasts


def rate(y_true, probabilities, sample_weight=None):
    return rate_predictions(
        *read_forecasts(y_true, probabilities, sample_weight)
    )


def test_uncertainty_is_the_sum_of_the_other_probabilities():
    rated = rate([0, 1], np.float32([[1, 1e-20, 1e-30], [0.2, 0.5, 0.3]]))
    assert rated.uncertainty == pytest.approx([1e-20, 0.5])
    assert rated.wrong.tolist() == [0.0, 0.0]


@pytest.mark.parametrize(
    "probabilities",
    [
        [0.2, 0.7],
        [[0.2], [0.7]],
        [[0.8, 0.2], [0.3, 0.7]],
        [[[0.9, 0.1], [0.7, 0.3]], [[0.4, 0.6], [0.2, 0.8]]],
    ],
)
@pytest.mark.parametrize(
    "y_true", [[0, 0], [[0], [0]], [[1, 0], [1, 0]], [0.0, 0.0]]
)
def test_all_forms_read_alike(y_true, probabilities):
    rated = rate(y_true, probabilities)
    assert rated.uncertainty == pytest.approx([0.2, 0.3])
    assert rated.wrong.tolist() == [0.0, 1.0]
    assert rated.weights.tolist() == [1.0, 1.0]


def test_a_soft_label_makes_a_prediction_wrong_in_part():
    rated = rate([[0.6, 0.3, 0.1]], [[0.5, 0.3, 0.2]])
    assert rated.wrong == pytest.approx([0.4])


def test_equal_uncertainties_form_a_group():
    y_true, probabilities = [1, 0, 0], [0.75, 0.75, 0.875]
    groups = group_ties(rate(y_true, probabilities, [1.0, 2.0, 3.0]))
    assert groups.right.tolist() == [0.0, 1.0]
    assert groups.wrong.tolist() == [3.0, 2.0]
    assert groups.index.tolist() == [1, 1, 0]


def test_an_example_of_weight_zero_is_left_out():
    assert rate([0, 1], [0.2, 0.7], [[0.0], [2.0]]).weights.tolist() == [2.0]


def test_what_is_no_forecast_label_or_weight_is_an_error():
    with pytest.raises(ValueError, match="must lie in"):
        rate([0], [[3.0, -1.0]])
    with pytest.raises(ValueError, match="must hold class indices 0 to 2"):
        rate([3], [[0.5, 0.3, 0.2]])
    with pytest.raises(ValueError, match="one row per forecast"):
        rate([0, 1], [[0.5, 0.5]])
    with pytest.raises(ValueError, match="`sample_weight` must not be neg"):
        rate([0], [[0.5, 0.5]], [np.nan])
    with pytest.raises(ValueError, match="is empty"):
        rate([], np.zeros((0, 2)))
