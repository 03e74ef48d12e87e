"""Tiled rows are member-major, and their masks too."""

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
from keras import ops

from keras_plex.layers import BatchEnsembleDense
from keras_plex.layers import MergeMembers
from keras_plex.layers import TileMembers


def test_rows_are_member_major():
    x = np.array([[1.0], [5.0]], "float32")
    tiled = ops.convert_to_numpy(TileMembers(3)(x))
    assert tiled[:, 0].tolist() == [1, 5, 1, 5, 1, 5]


@settings(max_examples=20)
@given(
    shape=st.lists(st.integers(1, 4), min_size=2, max_size=4),
    ensemble_size=st.integers(1, 5),
    kind=st.sampled_from(["probabilities", "regression"]),
)
def test_merge_undoes_tile(shape, ensemble_size, kind):
    x = np.random.default_rng(0).uniform(size=shape).astype("float32")
    tiled = TileMembers(ensemble_size)(x)
    merged = MergeMembers(ensemble_size, kind)(tiled)
    np.testing.assert_allclose(ops.convert_to_numpy(merged), x, rtol=1e-6)


def test_the_mask_is_tiled_like_the_rows():
    tokens = np.array([[1, 2, 0], [3, 0, 0]])
    embedding = keras.layers.Embedding(5, 2, mask_zero=True)
    layer = TileMembers(2)
    mask = layer.compute_mask(None, embedding.compute_mask(tokens))
    expected = [[True, True, False], [True, False, False]] * 2
    assert ops.convert_to_numpy(mask).tolist() == expected
    assert layer.compute_mask(None, None) is None


def test_a_mask_reaches_the_layers_after_the_members():
    # The mean of each example over its tokens that are not 0.
    inputs = keras.Input((3,), dtype="int32")
    embedding = keras.layers.Embedding(5, 2, mask_zero=True)
    x = TileMembers(2)(embedding(inputs))
    x = BatchEnsembleDense(2, 2, "ones", kernel_initializer="identity")(x)
    model = keras.Model(inputs, keras.layers.GlobalAveragePooling1D()(x))
    tokens = np.array([[1, 2, 0], [3, 0, 0]])
    vectors = ops.convert_to_numpy(embedding.embeddings)
    expected = [(vectors[1] + vectors[2]) / 2, vectors[3]] * 2
    outputs = ops.convert_to_numpy(model(tokens))
    np.testing.assert_allclose(outputs, expected, rtol=1e-5, atol=1e-7)


def test_tiling_keeps_integers_also_in_a_symbolic_model():
    layer = TileMembers(2)
    eager = layer(np.ones((2, 3), "int32"))
    symbolic = layer(keras.Input((3,), dtype="int32"))
    assert keras.backend.standardize_dtype(eager.dtype) == "int32"
    assert symbolic.dtype == "int32"


@pytest.mark.parametrize("size", [0, -3, 2.5, "3", True])
def test_a_bad_ensemble_size_raises(size):
    with pytest.raises(ValueError, match="must be a positive integer"):
        TileMembers(size)
