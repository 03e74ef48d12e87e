"""An exported model says what the model says."""

import numpy as np
import pytest

import keras_plex
from keras_plex.testing.exported import call_exported
from tests import cases


@pytest.mark.parametrize("name", ["mlp", "multi_output", "two_inputs"])
def test_the_exported_model_gives_every_output(name):
    stock = cases.make(name)
    model = keras_plex.plexify(stock, last_blocks=1, head="keep", seed=0)
    x = cases.examples(stock)
    outputs = model(x)
    expected = [outputs] if name != "multi_output" else list(outputs.values())
    found = call_exported(model, x)
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, cases.to_numpy(other), atol=1e-6)
