"""What was compiled ends with the weights that it was compiled for."""

import keras
import numpy as np

from keras_plex import plexify
from tests import cases


def test_quantizing_a_part_is_seen_by_predict():
    plex = plexify(cases.make("nested"), last_blocks=1, head="keep", seed=0)
    x = cases.examples(plex)
    before = plex.predict(x, verbose=0), plex.predict_members(x)
    plex.get_layer("embed").quantize("int8")
    after = plex.predict(x, verbose=0), plex.predict_members(x)
    np.testing.assert_allclose(after[0], plex(x), atol=1e-6)
    np.testing.assert_allclose(after[1].mean(axis=1), after[0], atol=1e-5)
    for old, new in zip(before, after, strict=True):
        assert np.abs(old - new).max() > 0


def test_functions_are_compiled_once_where_nothing_changed():
    plex = plexify(cases.make("mlp"), last_blocks=1, seed=0)
    x = cases.examples(plex)
    plex.predict(x, verbose=0)
    function = plex.predict_function
    plex.predict_members(x)
    plex.predict(x, verbose=0)
    assert plex.predict_function is function
    plex.compile("sgd", keras.losses.SparseCategoricalCrossentropy(True))
    plex.train_on_batch(x, np.zeros(4))
    function = plex.train_function
    plex.train_on_batch(x, np.zeros(4))
    assert plex.train_function is function
