"""A SavedModel of Keras's own export answers for any size of batch."""

import keras
import numpy as np
import pytest

from keras_plex.export.saved_model import call_saved_model
from tests import cases


@pytest.mark.parametrize("count", [1, 3])
def test_it_answers_in_the_structure_of_the_model(tmp_path, count):
    model = cases.make("multi_output")
    model.export(tmp_path / "exported", verbose=False)
    x = cases.examples(model, count)
    found = call_saved_model(tmp_path / "exported", x)
    expected = cases.to_numpy(model(x))
    assert set(found) == {"label", "number"}
    for name, array in found.items():
        assert isinstance(array, np.ndarray)
        np.testing.assert_allclose(array, expected[name], atol=1e-6)


def test_inputs_may_be_a_dict_of_arrays(tmp_path):
    model = cases.make("two_inputs")
    model.export(tmp_path / "exported", verbose=False)
    x = cases.examples(model)
    found = call_saved_model(tmp_path / "exported", x)
    expected = keras.ops.convert_to_numpy(model(x))
    np.testing.assert_allclose(found, expected, atol=1e-6)
