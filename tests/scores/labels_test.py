"""Labels of every form become class indices."""

import numpy as np
import pytest

from keras_plex.scores.labels import class_indices

CLASSES = np.array([2, 0, 1])
FORMS = {
    "sparse": CLASSES,
    "column": CLASSES[:, None],
    "floats": CLASSES.astype("float32"),
    "one-hot": np.eye(4)[CLASSES],
    "soft": 0.8 * np.eye(3)[CLASSES] + 0.1,
}


@pytest.mark.parametrize("name", FORMS)
def test_every_form_gives_the_classes(name):
    np.testing.assert_array_equal(class_indices(FORMS[name], 3), CLASSES)


def test_booleans_are_two_classes():
    assert class_indices(np.array([True, False]), 2).tolist() == [1, 0]


FAULTS = [
    (None, r"pass `\(x, y\)`"),
    (np.zeros((3, 2, 1)), r"shape=\(3, 2, 1\)"),
    (np.zeros(2), r"for 3 examples"),
    ([0, 1, np.nan], "must be finite"),
    (np.zeros((3, 4)), "names no class"),
    ([0, -1, 2], "must be class indices"),
    ([0.0, 0.5, 1.0], "must be class indices"),
]


@pytest.mark.parametrize("labels, message", FAULTS)
def test_what_names_no_class_is_an_error(labels, message):
    with pytest.raises(ValueError, match=message):
        class_indices(labels, 3)
