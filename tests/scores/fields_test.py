"""What scores read from predictions."""

import types

import numpy as np
import pytest
from keras import ops

from keras_plex.scores.fields import class_logits
from keras_plex.scores.fields import same_kind


def test_one_logit_is_the_difference_of_two():
    logits = np.array([[[3.0], [-1.0]]], "float32")
    fields = types.SimpleNamespace(member_logits=logits)
    found = ops.convert_to_numpy(class_logits(fields, "energy"))
    np.testing.assert_array_equal(found, [[[-1.5, 1.5], [0.5, -0.5]]])


def test_several_logits_stay_as_they_are():
    logits = np.arange(6.0, dtype="float32").reshape(1, 2, 3)
    fields = types.SimpleNamespace(member_logits=logits)
    found = ops.convert_to_numpy(class_logits(fields, "energy"))
    np.testing.assert_array_equal(found, logits)


def test_missing_logits_are_an_error_of_the_score():
    fields = types.SimpleNamespace(member_logits=None)
    with pytest.raises(ValueError, match='Score "energy" needs'):
        class_logits(fields, "energy")


def test_arrays_give_arrays_and_tensors_tensors():
    tensor = ops.ones(2)
    assert isinstance(same_kind(tensor, np.ones(2)), np.ndarray)
    assert same_kind(tensor, tensor) is tensor
