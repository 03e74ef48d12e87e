"""A saved model speaks in a process that only imported `keras_plex`."""

import keras
import numpy as np
import pytest

import keras_plex
from keras_plex.testing.fresh_process import call_in_fresh_process
from tests import cases


@pytest.mark.slow
def test_a_fresh_process_says_what_the_model_says(tmp_path):
    stock = cases.make("two_inputs")
    model = keras_plex.plexify(stock, last_blocks=1, head="keep", seed=0)
    model.save(tmp_path / "model.keras")
    x = cases.examples(stock)
    (found,) = call_in_fresh_process(tmp_path / "model.keras", x)
    np.testing.assert_array_equal(found, cases.to_numpy(model(x)))


@pytest.mark.slow
def test_a_class_that_only_this_process_knows_is_an_error(tmp_path):
    model = cases.make("custom_blocks")
    model.save(tmp_path / "model.keras")
    x = np.ones((1, 4), "float32")
    assert keras.saving.load_model(tmp_path / "model.keras")(x).shape == (1, 3)
    with pytest.raises(AssertionError, match="FeedForwardBlock"):
        call_in_fresh_process(tmp_path / "model.keras", x)
