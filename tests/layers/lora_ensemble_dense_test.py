"""A LoRA ensemble dense layer is a loop over its members."""

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
from keras import ops

from keras_plex.layers import LoRAEnsembleDense
from keras_plex.layers import MergeMembers
from keras_plex.layers import TileMembers


def np64(x):
    return ops.convert_to_numpy(x).astype("float64")


def normal(shape, seed=1):
    return np.random.default_rng(seed).normal(size=shape)


def random_layer(dim, **arguments):
    """A float64 layer whose weights, biases too, are all random."""
    arguments = {"units": 5, "rank": 2, "dtype": "float64", **arguments}
    layer = LoRAEnsembleDense(**arguments)
    layer.build((None, dim))
    for seed, weight in enumerate(layer.weights):
        weight.assign(normal(weight.shape, seed))
    return layer


def member_loop(layer, x, scale=1.0):
    """The formula, one member at a time, in float64."""
    a, b = np64(layer.lora_a), np64(layer.lora_b)
    outputs = []
    for k, rows in enumerate(np.split(np.float64(x), layer.ensemble_size)):
        y = rows @ np64(layer.kernel) + scale * (rows @ a[k]) @ b[k]
        if layer.bias is not None:
            y = y + np64(layer.bias)
        outputs.append(np64(layer.activation(ops.convert_to_tensor(y))))
    return np.concatenate(outputs)


@pytest.mark.parametrize(
    "arguments, scale",
    [
        ({}, 1.0),
        ({"use_bias": False, "alpha": 6}, 3.0),
        ({"activation": "gelu", "rank": 1}, 1.0),
        ({"activation": "softmax", "ensemble_size": 1, "alpha": 0.5}, 0.25),
    ],
)
@pytest.mark.parametrize("shape", [(6, 4), (6, 2, 4), (6, 2, 3, 4)])
def test_it_equals_a_loop_over_members(shape, arguments, scale):
    layer = random_layer(4, **arguments)
    x = normal(shape)
    outputs = np64(layer(x))
    assert outputs.shape == (*shape[:-1], 5)
    np.testing.assert_allclose(
        outputs, member_loop(layer, x, scale), rtol=1e-11, atol=1e-12
    )


@settings(max_examples=15)
@given(
    ensemble_size=st.integers(1, 5),
    rank=st.integers(1, 5),
    batch=st.integers(1, 4),
    between=st.lists(st.integers(1, 3), max_size=2),
    dim=st.integers(1, 6),
    units=st.integers(1, 6),
)
def test_it_equals_the_loop_for_any_sizes(
    ensemble_size, rank, batch, between, dim, units
):
    layer = random_layer(
        dim, units=units, ensemble_size=ensemble_size, rank=rank
    )
    x = normal((ensemble_size * batch, *between, dim))
    np.testing.assert_allclose(
        np64(layer(x)), member_loop(layer, x), rtol=1e-10, atol=1e-11
    )


def test_a_member_sees_only_its_own_rows():
    layer = random_layer(4, ensemble_size=3)
    x = normal((6, 4))
    changed = np.concatenate([x[:2], normal((2, 4), seed=9), x[4:]])
    same = np64(layer(x)) == np64(layer(changed))
    assert same[:2].all() and same[4:].all() and not same[2:4].any()


def test_it_adds_k_times_rank_times_inputs_plus_outputs_weights():
    # Dense: 4 * 5 + 5. Members: 3 * 2 * (4 + 5).
    layer = LoRAEnsembleDense(5, ensemble_size=3, rank=2)
    layer.build((None, 4))
    assert layer.count_params() == 25 + 54


def loss_of_weights(values, x, cotangent):
    """sum(outputs * cotangent) of two members, in float64."""
    total = 0.0
    rows = zip(np.split(x, 2), np.split(cotangent, 2), strict=True)
    for k, (xs, cs) in enumerate(rows):
        update = 1.5 * (xs @ values["lora_a"][k]) @ values["lora_b"][k]
        y = xs @ values["kernel"] + update + values["bias"]
        total += (np.tanh(y) * cs).sum()
    return total


def test_gradients_are_the_finite_differences_in_float64():
    layer = random_layer(
        3, units=2, ensemble_size=2, alpha=3, activation="tanh"
    )
    x = normal((4, 3))
    # Exact in float32, in which Keras computes losses.
    cotangent = np.random.default_rng(5).integers(-3, 4, (4, 2)).astype(float)
    inputs = keras.Input((3,), dtype="float64")
    model = keras.Model(inputs, layer(inputs))
    before = {weight.name: np64(weight) for weight in layer.weights}
    # One step of SGD with learning rate 1 subtracts the gradient.
    model.compile(
        keras.optimizers.SGD(1.0),
        lambda y, p: ops.sum(ops.cast(y, p.dtype) * p),
        run_eagerly=True,
    )
    model.train_on_batch(x, cotangent)
    step = 1e-6
    for weight in layer.trainable_weights:
        gradient = before[weight.name] - np64(weight)
        for index in np.ndindex(gradient.shape):
            sides = []
            for sign in (1.0, -1.0):
                values = {name: v.copy() for name, v in before.items()}
                values[weight.name][index] += sign * step
                sides.append(loss_of_weights(values, x, cotangent))
            slope = (sides[0] - sides[1]) / (2 * step)
            assert abs(gradient[index] - slope) < 1e-7, (weight.name, index)


class Holder(keras.Model):
    """A model whose file names its layer `head`, whatever its class."""

    def __init__(self, head):
        super().__init__()
        self.head = head

    def call(self, inputs):
        return self.head(inputs)


def test_a_stock_weights_file_loads(tmp_path):
    stock, model = (
        Holder(head)
        for head in (keras.layers.Dense(5), LoRAEnsembleDense(5, 3))
    )
    x = normal((3, 4)).astype("float32")
    expected = np64(stock(x))
    model(x)
    stock.save_weights(tmp_path / "stock.weights.h5")
    model.load_weights(tmp_path / "stock.weights.h5")
    np.testing.assert_array_equal(np64(model(x)), expected)


def test_tile_layer_merge_is_one_forecast_per_example():
    inputs = keras.Input((4,))
    x = TileMembers(3)(inputs)
    x = LoRAEnsembleDense(8, 3, activation="relu")(x)
    x = MergeMembers(3)(LoRAEnsembleDense(2, 3)(x))
    model = keras.Model(inputs, x)
    outputs = model.predict(normal((7, 4)), verbose=0, batch_size=4)
    assert outputs.shape == (7, 2)


def test_inputs_of_another_width_raise():
    layer = LoRAEnsembleDense(2, ensemble_size=3)
    layer(np.ones((3, 5), "float32"))
    with pytest.raises(ValueError, match="expected axis -1"):
        layer(np.ones((3, 4), "float32"))
