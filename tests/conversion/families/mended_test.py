"""What a model was trained to comes back from a file."""

import keras
import numpy as np
import pytest

from keras_plex import plexify
from keras_plex.conversion.families.mended import KeepsTrainedPositions
from tests import cases
from tests import vision_models


@pytest.fixture
def trained():
    """A DINOv2 classifier with trained positions, and images."""
    keras.utils.set_random_seed(0)
    stock = cases.with_random_weights(
        vision_models.dinov2(use_mask_token=False)
    )
    plex = plexify(stock, num_classes=3, last_blocks=1, head="keep", seed=0)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    plex.compile(keras.optimizers.Adam(0.1), loss, run_eagerly=True)
    x = cases.examples(plex)
    before = positions(plex)
    plex.fit(x, np.array([0, 1, 2, 0]), verbose=0)
    assert np.abs(positions(plex) - before).max() > 0.01
    return plex, x


def embeddings(model):
    backbone = next(x for x in model.layers if isinstance(x, keras.Model))
    return backbone.embeddings


def positions(model):
    layer = embeddings(model)
    return cases.to_numpy(layer.interpolated_position_embeddings)


def test_trained_positions_come_back(trained, tmp_path):
    plex, x = trained
    outputs = cases.to_numpy(plex(x))
    weights = [np.array(w) for w in plex.get_weights()]
    plex.save(tmp_path / "model.keras")
    # Saving changes nothing.
    for old, new in zip(weights, plex.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(cases.to_numpy(loaded(x)), outputs)
    np.testing.assert_array_equal(positions(loaded), positions(plex))


def test_weights_alone_come_back_too(trained, tmp_path):
    plex, x = trained
    plex.save_weights(tmp_path / "model.weights.h5")
    outputs, trained_positions = cases.to_numpy(plex(x)), positions(plex)
    embeddings(plex).interpolated_position_embeddings.assign(
        np.zeros_like(trained_positions)
    )
    plex.load_weights(tmp_path / "model.weights.h5")
    np.testing.assert_array_equal(cases.to_numpy(plex(x)), outputs)


def test_what_the_stock_layer_saved_is_read_as_before():
    stock = vision_models.dinov2()
    expected = cases.to_numpy(stock.embeddings.interpolated_position_embeddings)
    plex = plexify(stock, num_classes=3, last_blocks=1, head="keep")
    layer = embeddings(plex)
    store = {}
    keras.layers.Layer.save_own_variables(layer, store)
    layer.interpolated_position_embeddings.assign(np.zeros_like(expected))
    layer.load_own_variables(store)
    np.testing.assert_allclose(positions(plex), expected, atol=1e-6)


def test_the_stock_layer_still_drifts(tmp_path):
    # When this fails, KerasHub was mended and ours can go.
    stock = cases.with_random_weights(vision_models.dinov2())
    x = cases.examples(stock)
    outputs = cases.to_numpy(stock(x))
    stock.save(tmp_path / "stock.keras")
    loaded = keras.saving.load_model(tmp_path / "stock.keras")
    assert np.abs(cases.to_numpy(loaded(x)) - outputs).max() > 1e-3


def test_other_layers_stay_as_they_are():
    plex = plexify(cases.make("vit"), last_blocks=1, head="keep")
    assert not any(
        isinstance(layer, KeepsTrainedPositions)
        for layer in plex.backbone.layers
    )
