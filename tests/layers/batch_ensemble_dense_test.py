"""A BatchEnsemble dense layer is a loop over its members."""

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

# On PyTorch, Keras multiplies float64 matrices in float32.
EXACT = 1e-5 if keras.config.backend() == "torch" else 1e-12


def member_loop(layer, x):
    """The formula, one member at a time, in float64."""
    kernel, bias = layer.kernel, layer.bias
    alpha, gamma = np64(layer.alpha), np64(layer.gamma)
    outputs = []
    for k, rows in enumerate(np.split(np.float64(x), layer.ensemble_size)):
        y = ((rows * alpha[k]) @ np64(kernel)) * gamma[k]
        if bias is not None:
            y = y + np64(bias) + np64(layer.member_bias)[k]
        outputs.append(np64(layer.activation(ops.convert_to_tensor(y))))
    return np.concatenate(outputs)


def np64(x):
    return ops.convert_to_numpy(x).astype("float64")


def random_layer(dim, seed=0, **arguments):
    """A float64 layer whose weights, biases too, are all random."""
    layer = BatchEnsembleDense(**{"units": 5, "dtype": "float64", **arguments})
    layer.build((None, dim))
    generator = np.random.default_rng(seed)
    for weight in layer.weights:
        weight.assign(generator.normal(size=weight.shape))
    return layer


def normal(shape, seed=1):
    return np.random.default_rng(seed).normal(size=shape)


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"use_bias": False},
        {"activation": "gelu"},
        {"activation": "softmax", "ensemble_size": 1},
    ],
)
@pytest.mark.parametrize("shape", [(6, 4), (6, 2, 4), (6, 2, 3, 4)])
def test_it_equals_a_loop_over_members(shape, arguments):
    layer = random_layer(4, **arguments)
    x = normal(shape)
    outputs = np64(layer(x))
    assert outputs.shape == (*shape[:-1], 5)
    np.testing.assert_allclose(
        outputs, member_loop(layer, x), rtol=EXACT, atol=EXACT
    )


@settings(max_examples=15)
@given(
    ensemble_size=st.integers(1, 5),
    batch=st.integers(1, 4),
    between=st.lists(st.integers(1, 3), max_size=2),
    dim=st.integers(1, 6),
    units=st.integers(1, 6),
)
def test_it_equals_the_loop_for_any_sizes(
    ensemble_size, batch, between, dim, units
):
    layer = random_layer(dim, units=units, ensemble_size=ensemble_size)
    x = normal((ensemble_size * batch, *between, dim))
    np.testing.assert_allclose(
        np64(layer(x)), member_loop(layer, x), rtol=EXACT, atol=EXACT
    )


def test_integers_are_numbers():
    layer = random_layer(4)
    counts = np.random.default_rng(0).integers(0, 3, (6, 4))
    np.testing.assert_allclose(
        np64(layer(counts)), member_loop(layer, counts), atol=EXACT
    )


def test_a_member_sees_only_its_own_rows():
    layer = random_layer(4, ensemble_size=3)
    x = normal((6, 4))
    changed = np.concatenate([x[:2], normal((2, 4), seed=9), x[4:]])
    same = np64(layer(x)) == np64(layer(changed))
    assert same[:2].all() and same[4:].all() and not same[2:4].any()


def test_it_adds_k_times_inputs_plus_two_k_times_outputs_weights():
    # Dense: 4 * 5 + 5. Members: 3 * 4 alpha, 3 * 5 gamma, 3 * 5 bias.
    layer = BatchEnsembleDense(5, ensemble_size=3)
    layer.build((None, 4))
    assert layer.count_params() == 25 + 12 + 15 + 15
    assert sorted(weight.name for weight in layer.weights) == [
        "alpha",
        "bias",
        "gamma",
        "kernel",
        "member_bias",
    ]


def test_fast_weights_start_at_normal_1_and_one_half():
    layer = BatchEnsembleDense(100, ensemble_size=20)
    layer.build((None, 100))
    for weight in (layer.alpha, layer.gamma):  # 2000 draws, sigma 0.011
        assert abs(np64(weight).mean() - 1.0) < 0.05
        assert abs(np64(weight).std() - 0.5) < 0.05
    assert not np64(layer.member_bias).any()


@pytest.mark.parametrize(
    "initializer",
    [
        keras.initializers.RandomNormal(1.0, 0.5, seed=3),
        keras.initializers.RandomNormal(
            1.0, 0.5, seed=keras.random.SeedGenerator(3)
        ),
        None,
    ],
)
def test_alpha_and_gamma_are_different_draws(initializer):
    layer = BatchEnsembleDense(4, fast_weight_initializer=initializer)
    layer.build((None, 4))
    assert np.abs(np64(layer.alpha) - np64(layer.gamma)).max() > 0.1


def test_members_differ_from_each_other_from_the_start():
    layer = BatchEnsembleDense(4, ensemble_size=2)
    one, two = np.split(np64(layer(np.ones((2, 4), "float32"))), 2)
    assert np.abs(one - two).max() > 1e-3


def members_model(initializer):
    layer = BatchEnsembleDense(
        2, ensemble_size=3, fast_weight_initializer=initializer
    )
    inputs = keras.Input((4,))
    outputs = layer(TileMembers(3)(inputs))
    return layer, keras.Model(inputs, outputs)


def spread_after_one_step(initializer):
    """The largest distance between members' outputs after a step."""
    layer, model = members_model(initializer)
    model.compile(keras.optimizers.SGD(0.1), "mse")
    x = normal((5, 4)).astype("float32")
    model.train_on_batch(x, np.ones((15, 2), "float32"))
    members = np.split(np64(model(x)), 3)
    alpha = np64(layer.alpha)
    assert np.abs(alpha - 1.0).max() > 0  # the step moved them
    return max(np.abs(m - members[0]).max() for m in members[1:])


def test_members_differ_after_one_step():
    assert spread_after_one_step(None) > 1e-2


def test_members_that_start_equal_stay_equal():
    # Equal members get equal gradients: "ones" alone never makes an ensemble.
    assert spread_after_one_step("ones") < 1e-6


def stock_dense(**arguments):
    dense = keras.layers.Dense(5, name="stock", **arguments)
    dense.build((None, 4))
    if dense.bias is not None:
        dense.bias.assign(np.arange(5.0))
    return dense


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"use_bias": False},
        {"activation": "relu"},
        {"dtype": "float64"},
        {"dtype": "mixed_bfloat16"},
        {"kernel_regularizer": "l2", "trainable": False},
    ],
)
def test_from_layer_starts_equal_to_the_stock_layer(arguments):
    dense = stock_dense(**arguments)
    layer = BatchEnsembleDense.from_layer(dense, ensemble_size=3)
    x = normal((2, 4)).astype("float32")
    stock = np64(ops.cast(dense(x), "float32"))
    members = np64(ops.cast(layer(np.tile(x, (3, 1))), "float32"))
    for member in np.split(members, 3):
        np.testing.assert_allclose(member, stock, rtol=1e-6, atol=1e-6)
    assert layer.name == "stock"
    assert layer.dtype_policy == dense.dtype_policy
    assert layer.trainable == dense.trainable
    assert layer.ensemble_size == 3
    assert layer.activation is dense.activation
    assert (layer.kernel_regularizer is None) == (
        dense.kernel_regularizer is None
    )


def test_from_layer_passes_the_initializer_on():
    layer = BatchEnsembleDense.from_layer(
        stock_dense(),
        fast_weight_initializer=keras.initializers.RandomNormal(1.0, 0.5),
    )
    assert np.abs(np64(layer.alpha) - 1.0).max() > 0.1


class OwnBatchEnsembleDense(BatchEnsembleDense):
    pass


def test_from_layer_works_for_a_subclass_of_ours():
    layer = OwnBatchEnsembleDense.from_layer(stock_dense())
    assert type(layer) is OwnBatchEnsembleDense


class Holder(keras.Model):
    """A model whose file names its layer `head`, whatever its class."""

    def __init__(self, head):
        super().__init__()
        self.head = head

    def call(self, inputs):
        return self.head(inputs)


def test_a_stock_weights_file_loads(tmp_path):
    dense = stock_dense()
    stock = Holder(dense)
    stock(np.ones((1, 4)))
    path = tmp_path / "stock.weights.h5"
    stock.save_weights(path)
    layer = BatchEnsembleDense(5, 3, "ones")
    model = Holder(layer)
    model(np.ones((3, 4)))
    model.load_weights(path)
    np.testing.assert_array_equal(np64(layer.kernel), np64(dense.kernel))
    np.testing.assert_array_equal(np64(layer.bias), np64(dense.bias))
    assert (np64(layer.alpha) == 1.0).all()


def test_tile_layer_merge_is_one_forecast_per_example():
    inputs = keras.Input((4,))
    x = TileMembers(3)(inputs)
    x = BatchEnsembleDense(8, 3, activation="relu")(x)
    x = MergeMembers(3)(BatchEnsembleDense(2, 3)(x))
    model = keras.Model(inputs, x)
    assert model.predict(normal((7, 4)), verbose=0, batch_size=4).shape == (
        7,
        2,
    )


def test_rows_that_are_no_multiple_raise():
    layer = BatchEnsembleDense(2, ensemble_size=3)
    with pytest.raises(ValueError, match="rows=4, ensemble_size=3"):
        layer(np.ones((4, 5), "float32"))


def test_inputs_of_another_width_raise():
    layer = BatchEnsembleDense(2, ensemble_size=3)
    layer(np.ones((3, 5), "float32"))
    with pytest.raises(ValueError, match="expected axis -1"):
        layer(np.ones((3, 4), "float32"))


@pytest.mark.parametrize("size", [0, 1.5, "3", True])
def test_a_bad_ensemble_size_raises(size):
    with pytest.raises(ValueError, match="must be a positive integer"):
        BatchEnsembleDense(2, ensemble_size=size)


def test_an_unknown_initializer_raises():
    with pytest.raises(ValueError, match="no_such_initializer"):
        BatchEnsembleDense(2, fast_weight_initializer="no_such_initializer")
