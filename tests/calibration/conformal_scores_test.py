"""Scores that one can add up by eye, and NumPy's for many."""

import numpy as np
import pytest
from keras import ops

from keras_plex.calibration.conformal_scores import CONFORMAL_SCORES

ROW = np.array([[0.25, 0.5, 0.125, 0.125]], "float32")
# The second of two equal classes comes after the first.
EXPECTED = {
    "lac": [0.75, 0.5, 0.875, 0.875],
    "aps": [0.5, 0.0, 0.75, 0.875],
    "raps": [0.5 + 0.1, 0.0, 0.75 + 0.2, 0.875 + 0.3],
}


def scores(name, p, penalty=0.1, rank=1):
    found = CONFORMAL_SCORES[name](ops.convert_to_tensor(p), penalty, rank)
    return ops.convert_to_numpy(found)


@pytest.mark.parametrize("name", CONFORMAL_SCORES)
def test_scores_of_one_row(name):
    np.testing.assert_allclose(
        1 + scores(name, ROW), [EXPECTED[name]], atol=1e-6
    )


@pytest.mark.parametrize("name", CONFORMAL_SCORES)
def test_scores_are_those_of_numpy(name):
    p = np.random.default_rng(0).dirichlet(0.1 * np.ones(20), size=50)
    p = p.astype("float32").astype("float64")
    place = np.argsort(np.argsort(-p, axis=-1), axis=-1)
    before = np.sum((p[:, None] > p[:, :, None]) * p[:, None], axis=-1)
    expected = {
        "lac": 1 - p,
        "aps": before,
        "raps": before + 0.1 * np.maximum(place + 1 - 3, 0),
    }[name]
    found = 1.0 + scores(name, p.astype("float32"), rank=3).astype("float64")
    np.testing.assert_allclose(found, expected, atol=3e-6)


def test_small_probabilities_keep_their_digits():
    row = np.array([[1.0, 3e-12, 1e-12]], "float32")
    np.testing.assert_allclose(
        scores("aps", row), [[-1.0, -4e-12, -1e-12]], rtol=1e-6
    )
    np.testing.assert_allclose(
        scores("lac", row), [[-1.0, -3e-12, -1e-12]], rtol=1e-6
    )


def test_most_probable_class_is_always_the_first_to_be_in():
    p = np.random.default_rng(0).dirichlet(np.ones(5), size=50)
    for name in CONFORMAL_SCORES:
        found = scores(name, p.astype("float32"))
        np.testing.assert_array_equal(found.argmin(-1), p.argmax(-1))
    assert np.all(scores("aps", p.astype("float32")).min(-1) == -1.0)
