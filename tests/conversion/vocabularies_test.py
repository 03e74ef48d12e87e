"""What was learnt of words goes into copies, files and members."""

import keras
import numpy as np
import pytest
from keras import layers

from keras_plex import plexify
from keras_plex.models import DeepEnsemble

TEXTS = np.array(["pay", "play a bill"], dtype=object)


def bag_of_words(output_mode):
    words = layers.TextVectorization(output_mode=output_mode, max_tokens=8)
    words.adapt(["pay my bill", "play a song", "my bill"])
    return keras.Sequential(
        [
            keras.Input((), dtype="string"),
            words,
            layers.Dense(4, "relu"),
            layers.Dense(3),
        ]
    )


@pytest.mark.parametrize("output_mode", ["multi_hot", "tf_idf"])
def test_a_learnt_vocabulary_comes_along(tmp_path, output_mode):
    model = bag_of_words(output_mode)
    plex = plexify(model, ensemble_size=1, last_blocks=0)
    expected = model.predict(TEXTS, verbose=0)
    found = keras.ops.log_softmax(plex.predict(TEXTS, verbose=0))
    np.testing.assert_allclose(
        found, keras.ops.log_softmax(expected), atol=1e-5
    )
    plex.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(
        loaded.predict(TEXTS, verbose=0), plex.predict(TEXTS, verbose=0)
    )


def test_fresh_members_know_the_words():
    model = bag_of_words("tf_idf")
    ensemble = DeepEnsemble.from_model(model, 2)
    expected = keras.ops.convert_to_numpy(model.layers[0](TEXTS))
    assert len(np.unique(expected)) > 2  # rare words weigh more
    for member in ensemble.members:
        words = keras.ops.convert_to_numpy(member.layers[0](TEXTS))
        np.testing.assert_array_equal(words, expected)
    assert ensemble.predict(TEXTS, verbose=0).shape == (2, 3)
