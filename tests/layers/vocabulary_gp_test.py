"""An embedding forwards, a Gaussian process backwards."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_plex.layers.vocabulary_gp import VocabularyGP
from tests.cases import to_numpy

WORDS, DIM = 7, 4
IDS = np.array([[1, 2, 3], [4, 5, 6]])


def make(**arguments):
    layer = VocabularyGP(
        WORDS, DIM, **{"num_features": 16, "seed": 0, **arguments}
    )
    layer.build()
    return layer


def hidden(count=2):
    generator = np.random.default_rng(0)
    return generator.normal(size=(count, 3, DIM)).astype("float32")


def test_forwards_it_is_the_embedding():
    layer = make()
    np.testing.assert_array_equal(
        to_numpy(layer(IDS)), to_numpy(layer.embeddings)[IDS]
    )


def test_backwards_it_starts_as_the_embedding():
    layer = make(mean_function="linear")
    expected = hidden() @ to_numpy(layer.embeddings).T
    np.testing.assert_allclose(
        to_numpy(layer(hidden(), reverse=True)), expected, atol=1e-6
    )


def test_untied_it_starts_as_the_kernel_of_its_own():
    layer = make(mean_function="linear", tie_weights=False)
    expected = hidden() @ to_numpy(layer.reverse_embeddings)
    np.testing.assert_allclose(
        to_numpy(layer(hidden(), reverse=True)), expected, atol=1e-6
    )


def test_with_a_zero_mean_the_input_itself_has_no_part_in_it():
    layer = make(seed=3)
    phi = to_numpy(layer.covariance_features(hidden()))
    process = phi @ to_numpy(layer.residual_kernel)
    expected = process @ to_numpy(layer.embeddings).T
    assert np.abs(expected).max() > 1e-3
    np.testing.assert_allclose(
        to_numpy(layer(hidden(), reverse=True)), expected, atol=1e-6
    )


@pytest.mark.parametrize("tie_weights", [True, False])
def test_the_stock_layer_mixes_what_the_processes_add(tie_weights):
    layer = make(mean_function="linear", tie_weights=tie_weights)
    kernel = np.random.default_rng(1).normal(size=(16, DIM))
    layer.residual_kernel.assign(kernel.astype("float32"))
    phi = to_numpy(layer.covariance_features(hidden()))
    words = (
        to_numpy(layer.embeddings).T
        if tie_weights
        else to_numpy(layer.reverse_embeddings)
    )
    np.testing.assert_allclose(
        to_numpy(layer(hidden(), reverse=True)),
        (hidden() + phi @ kernel) @ words,
        atol=1e-5,
    )


def test_its_size_does_not_grow_with_the_words():
    few, many = make(), VocabularyGP(1000, DIM, num_features=16)
    many.build()
    own = [
        layer.count_params() - layer.input_dim * DIM for layer in (few, many)
    ]
    assert own[0] == own[1]


def test_tokens_join_the_covariance_and_padding_does_not():
    layer = make()
    mask = np.array([[True, True, False], [True, False, False]])
    layer(IDS, training=True)  # words are no features
    layer(hidden(), reverse=True, training=True, mask=mask)
    phi = to_numpy(layer.covariance_features(hidden()))[mask]
    np.testing.assert_allclose(
        to_numpy(layer.covariance.precision), phi.T @ phi, atol=1e-5
    )
    layer.update_covariance()
    exact = np.linalg.inv(np.eye(16) + phi.T @ phi)
    np.testing.assert_allclose(
        to_numpy(layer.variance(hidden()))[mask],
        np.einsum("nd,de,ne->n", phi, exact, phi),
        atol=1e-4,
    )


def test_the_variance_flattens_the_logits():
    layer = make(mean_field_factor=2.0)
    mean = to_numpy(layer.mean_logits(hidden()))
    layer.observe(hidden())
    layer.update_covariance()
    variance = to_numpy(layer.variance(hidden()))[..., None]
    np.testing.assert_allclose(
        to_numpy(layer(hidden(), reverse=True)),
        mean / np.sqrt(1 + 2.0 * variance),
        atol=1e-5,
    )


def test_weights_go_to_a_file_and_back(tmp_path):
    def model(seed):
        layer = make(mean_function="linear", seed=seed)
        ids = keras.Input((3,), dtype="int32")
        return keras.Model(ids, layer(layer(ids), reverse=True)), layer

    first, layer = model(0)
    layer.residual_kernel.assign(ops.ones((16, DIM)))
    layer.observe(hidden())
    layer.update_covariance()
    path = tmp_path / "model.weights.h5"
    first.save_weights(path)
    second, _ = model(1)
    expected = to_numpy(first(IDS))
    assert np.abs(to_numpy(second(IDS)) - expected).max() > 1e-3
    second.load_weights(path)
    np.testing.assert_allclose(to_numpy(second(IDS)), expected, atol=1e-6)
