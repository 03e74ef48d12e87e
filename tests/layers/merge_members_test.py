"""Merged members are the mean of their probabilities."""

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
from keras import ops

from keras_plex.layers import MergeMembers
from keras_plex.layers import TileMembers
from keras_plex.ops.probabilities import OUTPUT_KINDS

EXPECTED = {
    "softmax_logits": lambda x: ops.softmax(x, axis=-1),
    "sigmoid_logits": ops.sigmoid,
    "probabilities": lambda x: x,
    "regression": lambda x: x,
    "log_rates": ops.exp,
}


def logits(shape, seed=0):
    x = 4.0 * np.random.default_rng(seed).normal(size=shape)
    return x.astype("float32")


@settings(max_examples=30)
@given(
    kind=st.sampled_from(OUTPUT_KINDS),
    ensemble_size=st.integers(1, 5),
    batch=st.integers(1, 4),
    between=st.lists(st.integers(1, 3), max_size=2),
    units=st.integers(2, 4),
)
def test_the_forecast_is_the_mean_over_members_of_what_the_unit_means(
    kind, ensemble_size, batch, between, units
):
    members = logits((ensemble_size, batch, *between, units))
    folded = members.reshape(ensemble_size * batch, *between, units)
    merged = MergeMembers(ensemble_size, kind)(folded)
    meaning = EXPECTED[kind]
    expected = ops.convert_to_numpy(meaning(members)).mean(axis=0)
    np.testing.assert_allclose(
        ops.convert_to_numpy(meaning(merged)), expected, rtol=1e-4, atol=1e-6
    )


@pytest.mark.parametrize("kind", OUTPUT_KINDS)
def test_the_order_of_the_members_does_not_matter(kind):
    members = logits((3, 4, 2))
    merge = MergeMembers(3, kind)
    outputs = [
        ops.convert_to_numpy(merge(members[list(order)].reshape(12, 2)))
        for order in [(0, 1, 2), (2, 0, 1)]
    ]
    np.testing.assert_allclose(*outputs, rtol=1e-5, atol=1e-6)


def test_the_mean_of_logits_is_something_else():
    # softmax [4, 0] and [0, 0] average to class 0 at 0.74, not softmax [2, 0].
    merged = MergeMembers(2)(np.array([[4.0, 0.0], [0.0, 0.0]], "float32"))
    p = ops.convert_to_numpy(ops.softmax(merged))[0, 0]
    np.testing.assert_allclose(p, (1 / (1 + np.exp(-4)) + 0.5) / 2, rtol=1e-6)
    assert abs(p - 1 / (1 + np.exp(-2))) > 0.1


@pytest.mark.parametrize("kind", ["softmax_logits", "sigmoid_logits"])
def test_the_gradient_of_extreme_logits_is_finite(kind):
    # One step of SGD from inputs of +-1e4, through the mixture.
    inputs = keras.Input((2,))
    dense = keras.layers.Dense(2, kernel_initializer="identity")
    outputs = MergeMembers(2, kind)(dense(inputs))
    model = keras.Model(inputs, outputs)
    loss = {
        "softmax_logits": keras.losses.CategoricalCrossentropy(True),
        "sigmoid_logits": keras.losses.BinaryCrossentropy(True),
    }[kind]
    model.compile("sgd", loss)
    x = np.array([[1e4, -1e4], [-1e4, 1e4]], "float32")
    assert np.isfinite(model.train_on_batch(x, np.array([[1.0, 0.0]])))
    for weight in model.weights:
        assert np.isfinite(ops.convert_to_numpy(weight)).all()


def test_a_mask_comes_back_to_one_row_per_example():
    # Tile and merge undo each other: for the mask too.
    inputs = keras.Input((3,), dtype="int32")
    x = keras.layers.Embedding(5, 2, mask_zero=True)(inputs)
    x = MergeMembers(2, "regression")(TileMembers(2)(x))
    model = keras.Model(inputs, keras.layers.GlobalAveragePooling1D()(x))
    vectors = ops.convert_to_numpy(model.layers[1].embeddings)
    outputs = ops.convert_to_numpy(model(np.array([[3, 0, 0]])))
    np.testing.assert_allclose(outputs, [vectors[3]], rtol=1e-5)


def test_rows_that_are_no_multiple_raise():
    with pytest.raises(ValueError, match="rows=4, ensemble_size=3"):
        MergeMembers(3)(np.ones((4, 2), "float32"))


def test_rows_that_are_no_multiple_raise_in_a_symbolic_model():
    with pytest.raises(ValueError, match="rows=4, ensemble_size=3"):
        MergeMembers(3)(keras.Input((2,), batch_size=4))


def test_an_unknown_output_kind_lists_what_exists():
    with pytest.raises(ValueError) as error:
        MergeMembers(3, output_kind="logits")
    assert "Unknown output kind: 'logits'" in str(error.value)
    for kind in OUTPUT_KINDS:
        assert repr(kind) in str(error.value)


@pytest.mark.parametrize("size", [0, -3, 2.5, "3", True])
def test_a_bad_ensemble_size_raises(size):
    with pytest.raises(ValueError, match="must be a positive integer"):
        MergeMembers(size)
