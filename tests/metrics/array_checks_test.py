"""What is wrong with an array is said."""

import numpy as np
import pytest

from keras_plex.metrics.array_checks import check_arrays

HALF = np.full((2, 2), 0.5)
LABELS = np.array([0, 1])

WRONG = [
    (LABELS, np.full((2, 2), 2.0), None, "apply a softmax first"),
    (LABELS, np.full((2, 2), np.nan), None, "NaN. Received: 4 of 4 values"),
    (LABELS, np.full((2, 2), np.inf), None, "must lie in .0, 1."),
    (LABELS, np.zeros((0, 2)), None, "`probabilities` is empty"),
    (LABELS, np.zeros((1, 1, 1, 1)), None, r"be \(examples, classes\)"),
    (LABELS[:1], HALF, None, "1 rows for 2 forecasts"),
    (LABELS + 1, HALF, None, "class indices 0 to 1. Received: 2"),
    (np.eye(3)[LABELS], HALF, None, r"soft labels \(examples, 2\)"),
    (np.zeros((2, 2)), HALF, None, "must sum to one over the classes"),
    (np.full((2, 2), np.nan), HALF, None, "must sum to one over the classes"),
    (LABELS, HALF, np.ones(3), "one number per example"),
    (LABELS, HALF, np.array([1, -1]), "not be negative or NaN, nor all zero"),
    (LABELS, HALF, np.array([1, np.inf]), "zero or infinite"),
]


@pytest.mark.parametrize("labels, probabilities, weights, message", WRONG)
def test_error_names_what_is_wrong(labels, probabilities, weights, message):
    with pytest.raises(ValueError, match=message):
        check_arrays(labels, probabilities, weights)


@pytest.mark.parametrize("shape", [(2,), (2, 1), (2, 3, 1), (2, 2), (2, 3, 2)])
@pytest.mark.parametrize("labels", [LABELS, LABELS[:, None], np.eye(2)])
def test_every_documented_form_passes(shape, labels):
    check_arrays(labels, np.full(shape, 0.5), np.array([0.0, 2.0]))
