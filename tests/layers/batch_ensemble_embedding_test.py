"""A BatchEnsemble embedding is a loop over its members' tables."""

import keras
import keras_hub
import numpy as np
import pytest
from keras import ops

from keras_plex.layers import BatchEnsembleEmbedding


def np64(x):
    return ops.convert_to_numpy(x).astype("float64")


def normal(shape, seed=1):
    return np.random.default_rng(seed).normal(size=shape)


def tokens_of(shape, dtype="int32"):
    return np.random.default_rng(2).integers(0, 7, shape).astype(dtype)


def random_layer(**arguments):
    layer = BatchEnsembleEmbedding(7, 5, ensemble_size=2, **arguments)
    layer.build()
    for i, weight in enumerate(layer.weights):
        weight.assign(normal(weight.shape, seed=10 + i))
    return layer


def member_loop(layer, tokens):
    """Each member by itself: rows of its own, scaled table."""
    outputs = []
    for k, own in enumerate(np.split(np.int32(tokens), 2)):
        factors = np.outer(np64(layer.alpha)[k], np64(layer.gamma)[k])
        outputs.append((np64(layer.shared_variable()) * factors)[own])
    return np.concatenate(outputs)


@pytest.mark.parametrize("shape", [(4,), (4, 3), (4, 3, 2)])
@pytest.mark.parametrize("dtype", ["int32", "int64", "uint8", "float32"])
def test_it_equals_a_loop_over_members(shape, dtype):
    if dtype == "int64" and keras.config.backend() == "jax":
        pytest.skip("JAX has no int64 by default.")
    layer = random_layer(dtype="float64")
    tokens = tokens_of(shape, dtype)
    outputs = np64(layer(tokens))
    assert outputs.shape == (*shape, 5)
    np.testing.assert_allclose(outputs, member_loop(layer, tokens), rtol=1e-6)


def test_it_adds_k_factors_per_token_and_per_feature():
    layer = random_layer()
    assert layer.count_params() == 7 * 5 + 2 * 7 + 2 * 5
    assert sorted(weight.name for weight in layer.weights) == [
        "alpha",
        "embeddings",
        "gamma",
    ]


def test_a_batch_and_a_length_may_be_unknown():
    layer = random_layer()
    inputs = keras.Input((None,), dtype="int32")
    model = keras.Model(inputs, layer(inputs))
    assert tuple(model.outputs[0].shape) == (None, None, 5)
    for shape in [(2, 3), (4, 6)]:
        tokens = tokens_of(shape)
        np.testing.assert_allclose(
            model.predict(tokens, verbose=0),
            member_loop(layer, tokens),
            rtol=1e-5,
        )


def test_token_zero_is_masked_if_asked():
    layer = random_layer(mask_zero=True)
    tokens = np.array([[1, 0], [2, 3], [4, 0], [5, 6]])
    pooled = keras.layers.GlobalAveragePooling1D()(layer(tokens))
    rows = member_loop(layer, tokens)
    expected = [rows[0, 0], rows[1].mean(0), rows[2, 0], rows[3].mean(0)]
    np.testing.assert_allclose(np64(pooled), expected, rtol=1e-5)
    assert layer.compute_mask(tokens[:0]) is not None
    assert random_layer().compute_mask(tokens) is None


def test_mixed_precision_gives_its_compute_dtype():
    layer = random_layer(dtype="mixed_bfloat16")
    assert layer.alpha.dtype == layer.gamma.dtype == "float32"
    outputs = layer(tokens_of((4, 3)))
    assert keras.backend.standardize_dtype(outputs.dtype) == "bfloat16"
    np.testing.assert_allclose(
        np64(ops.cast(outputs, "float32")),
        member_loop(layer, tokens_of((4, 3))),
        rtol=2**-5,  # four roundings to 8 bits
    )


@pytest.mark.parametrize("wrap", [lambda x: x, lambda x: [x]])
def test_it_takes_a_table_as_keras_does(wrap):
    table = normal((7, 5)).astype("float32")
    layer = BatchEnsembleEmbedding(7, 5, 2, "ones", weights=wrap(table))
    stock = keras.layers.Embedding(7, 5, weights=wrap(table))
    tokens = tokens_of((4, 3))
    np.testing.assert_array_equal(np64(layer(tokens)), np64(stock(tokens)))


def test_rows_that_are_no_multiple_raise():
    # Although the tokens could be shared out.
    with pytest.raises(ValueError, match="rows=5, ensemble_size=2"):
        random_layer()(np.ones((5, 4), "int32"))


def test_a_table_that_is_also_a_head_is_not_taken_over():
    stock = keras_hub.layers.ReversibleEmbedding(7, 5)
    stock.build((None, 3))
    with pytest.raises(ValueError, match="a `keras.layers.Embedding`"):
        BatchEnsembleEmbedding.from_layer(stock)
