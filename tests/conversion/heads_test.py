"""The output layer is found through what follows it, and converted."""

import math

import keras
import numpy as np
import pytest
from keras import layers
from keras import ops

import keras_plex
from keras_plex import plexify
from keras_plex.conversion.heads import HEAD_OPTIONS
from keras_plex.conversion.heads import HEADS
from keras_plex.conversion.heads import Head
from keras_plex.conversion.heads import activation_name
from keras_plex.conversion.heads import check_head_options
from keras_plex.conversion.heads import find_head
from keras_plex.conversion.heads import lookup_head
from keras_plex.layers import BatchEnsembleDense
from keras_plex.layers import RandomFeatureGP
from tests import cases

FOUND = [
    ("vit", "predictions", "linear"),
    ("vit_intermediate", "predictions", "linear"),
    ("vit_softmax", "predictions", "softmax"),
    ("mlp", "head", "linear"),
    ("regression", "head", "linear"),
    ("residual_mlp", "head", "softmax"),
    ("nested", "head", "sigmoid"),
    ("custom_blocks", "head", "linear"),
    ("two_inputs", "head", "linear"),
]


@pytest.mark.parametrize("name, layer, activation", FOUND)
def test_the_head_and_its_activation_are_found(name, layer, activation):
    head = find_head(cases.MODELS[name]())
    assert head.layer.name == layer
    assert head.activation == activation


def functional(*after, hidden=5):
    """`Dense(3)` and what follows it."""
    inputs = keras.Input((4,))
    x = layers.Dense(hidden, name="hidden")(inputs)
    x = layers.Dense(3, name="head")(x)
    for operation in after:
        x = operation(x)
    return keras.Model(inputs, x)


@pytest.mark.parametrize(
    "after, activation",
    [
        ([layers.Activation("sigmoid")], "sigmoid"),
        ([layers.Dropout(0.5), layers.Softmax()], "softmax"),
        ([layers.Activation("linear"), layers.Softmax()], "softmax"),
        ([layers.Identity()], "linear"),
        ([layers.Activation("softmax"), layers.Identity()], "softmax"),
    ],
)
def test_layers_without_weights_are_passed_over(after, activation):
    head = find_head(functional(*after))
    assert (head.layer.name, head.activation) == ("head", activation)


def test_a_shared_activation_leads_to_the_last_layer():
    shared = layers.Activation("tanh")
    inputs = keras.Input((4,))
    x = shared(layers.Dense(5, name="hidden")(inputs))
    x = shared(layers.Dense(3, name="head")(x))
    assert find_head(keras.Model(inputs, x)).layer.name == "head"


@pytest.mark.parametrize(
    "after",
    [
        [layers.LayerNormalization()],
        [layers.Reshape((3, 1)), layers.Flatten()],
        [lambda x: x * 2.0],
        [lambda x: ops.concatenate([x, x])],
    ],
)
def test_what_changes_the_output_hides_the_head(after):
    assert find_head(functional(*after)) is None


def test_there_is_no_head_among_several_outputs():
    assert find_head(cases.multi_output()) is None


def test_there_is_no_head_in_a_backbone():
    assert find_head(cases.vit_backbone()) is None


def test_there_is_no_head_in_an_opaque_part():
    class Part(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(3)

        def call(self, x):
            return self.dense(x)

    inputs = keras.Input((4,))
    assert find_head(keras.Model(inputs, Part()(inputs))) is None


def test_names_of_activations():
    assert activation_name(None) == "linear"
    assert activation_name(keras.activations.softmax) == "softmax"
    assert activation_name(layers.LeakyReLU()) not in ("softmax", "sigmoid")


def built_head(**arguments):
    layer = layers.Dense(3, **{"name": "head", **arguments})
    layer.build((None, 8))
    for seed, weight in enumerate(layer.weights):
        generator = np.random.default_rng(seed)
        weight.assign(generator.normal(size=weight.shape))
    return Head(layer, activation_name(layer.activation))


X = np.random.default_rng(5).normal(size=(6, 8)).astype("float32")


NEUTRAL = [name for name in HEADS if "heteroscedastic" not in name]


@pytest.mark.parametrize("name", NEUTRAL)
@pytest.mark.parametrize(
    "arguments", [{}, {"use_bias": False}, {"activation": "softmax"}]
)
def test_each_head_starts_as_the_stock_layer(name, arguments):
    head = built_head(**arguments)
    before = ops.convert_to_numpy(head.layer(X))
    layer = head.layer
    HEADS[name](head, 3, {})
    assert head.layer is layer
    np.testing.assert_allclose(head.layer(X), before, atol=1e-5)


def test_keep_changes_nothing():
    head = built_head()
    HEADS["keep"](head, 3, {})
    assert type(head.layer) is layers.Dense
    assert len(head.layer.weights) == 2


def test_a_batch_ensemble_head_has_members():
    head = built_head()
    HEADS["batch_ensemble"](head, 4, {})
    assert type(head.layer) is BatchEnsembleDense
    assert head.layer.alpha.shape == (4, 8)
    assert head.layer.gamma.shape == (4, 3)
    assert head.layer.member_bias.shape == (4, 3)


def test_a_gp_head_takes_the_kernel_over_as_its_mean():
    head = built_head(activation="softmax")
    kernel, bias = head.layer.kernel, head.layer.bias
    HEADS["gp"](head, 3, {"num_features": 16})
    layer = head.layer
    assert type(layer) is RandomFeatureGP
    assert layer.mean_kernel is kernel and layer.bias is bias
    assert layer.residual_kernel.shape == (16, 3)
    assert not ops.convert_to_numpy(layer.residual_kernel).any()
    assert layer.activation is keras.activations.softmax
    # Its length scale is that of a normalized input of norm sqrt(8).
    assert layer.length_scale == math.sqrt(8 / 2)
    assert layer.variance(X).shape == (6,)


def test_a_gp_head_equals_a_new_layer_with_its_config():
    head = built_head()
    HEADS["gp"](head, 3, {"num_features": 16, "seed": 1})
    again = RandomFeatureGP.from_config(head.layer.get_config())
    again.build((None, 8))
    store = {}
    head.layer.save_own_variables(store)
    again.load_own_variables(store)
    np.testing.assert_allclose(again(X), head.layer(X), atol=1e-6)


def test_options_reach_the_gp():
    head = built_head()
    options = {"num_features": 8, "length_scale": 2.5, "ridge_penalty": 3.0}
    HEADS["gp"](head, 3, options)
    for name, value in options.items():
        assert getattr(head.layer, name) == value


@pytest.mark.parametrize(
    "input_dim, num_features", [(8, 512), (64, 512), (96, 768), (768, 1024)]
)
def test_a_narrow_network_gets_fewer_features(input_dim, num_features):
    layer = keras.layers.Dense(3)
    layer.build((None, input_dim))
    HEADS["gp"](Head(layer, "linear"), 3, {})
    assert layer.num_features == num_features


def test_a_linear_kernel_takes_the_input_itself():
    head = built_head()
    HEADS["gp"](head, 3, {"kernel": "linear"})
    assert head.layer.variance(X).shape == (6,)
    assert head.layer.residual_kernel.shape == (8, 3)


def test_a_zero_mean_has_no_kernel():
    head = built_head()
    HEADS["gp"](head, 3, {"mean_function": "zero"})
    assert head.layer.mean_kernel is None
    assert "kernel" not in [w.name for w in head.layer.weights]


def test_every_head_has_a_row_of_options():
    assert set(HEAD_OPTIONS) == set(HEADS)


@pytest.mark.parametrize("head", [None, "gp"])
def test_legal_options_pass(head):
    check_head_options(head, None)
    check_head_options(head, {})
    check_head_options(head, {"num_features": 8})


@pytest.mark.parametrize(
    "head, options, message",
    [
        ("gp", [("num_features", 8)], "must be a dict"),
        ("gp", {"features": 8}, "no option 'features'. Its options: num_f"),
        ("keep", {"seed": 1}, "'keep' has no option 'seed'.*: none"),
        ("gp", {"length_scale": -1.0}, "`length_scale` must be positive"),
        ("gp", {"mean_function": "cubic"}, "Unknown mean function.*'linear'"),
        ("gp", {"mean_field_factor": -1}, "`mean_field_factor`.*=-1"),
        ("laplace", {"seed": 1}, "head 'laplace' has no option 'seed'"),
        ("laplace", {"prior_precision": 0}, "`prior_precision` must be.*=0"),
        ("gp", {"kernel": "linear", "orthogonal": False}, "leave"),
    ],
)
def test_other_options_are_refused(head, options, message):
    with pytest.raises(ValueError, match=message):
        check_head_options(head, options)


def test_an_unknown_head_is_refused_with_those_that_exist():
    assert lookup_head("gp") == "gp"
    with pytest.raises(ValueError, match="'gp', .*'laplace', .*'keep'"):
        lookup_head("svm")


# Heteroscedastic heads.


@pytest.mark.parametrize("name", ["heteroscedastic", "heteroscedastic_gp"])
@pytest.mark.parametrize("stock_name", ["vit", "vit_softmax", "mlp"])
def test_a_heteroscedastic_head_starts_near_the_stock_forecast(
    name, stock_name
):
    stock = cases.make(stock_name)
    x = cases.examples(stock)
    model = plexify(stock, 2, head=name, fast_weight_stddev=0.0, seed=0)
    p = model.predict_uncertainty(x).probabilities
    q = keras_plex.Predictions.from_outputs(
        stock.predict(x, verbose=0), model.output_kind
    ).probabilities
    # Utilities have the standard deviation 0.3: probabilities move by less.
    assert 0 < np.abs(p - q).max() < 0.05
    np.testing.assert_array_equal(p, model.predict_uncertainty(x).probabilities)


@pytest.mark.parametrize("name", ["heteroscedastic", "heteroscedastic_gp"])
def test_a_heteroscedastic_head_learns_and_is_saved(name, tmp_path):
    stock = cases.make("mlp")
    x = cases.examples(stock, 32)
    y = np.arange(32) % cases.CLASSES
    options = {"num_factors": 2, "num_samples": 64}
    model = plexify(stock, head=name, head_options=options, seed=0)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(1e-2), loss)
    head = model.conversion.head.layer
    before = [ops.convert_to_numpy(w) for w in head.trainable_variables]
    model.fit(x, y, epochs=2, verbose=0)
    for old, weight in zip(before, head.trainable_variables, strict=True):
        assert np.abs(old - ops.convert_to_numpy(weight)).max() > 0
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(
        loaded.predict(x, verbose=0), model.predict(x, verbose=0)
    )
    found = model.predict_uncertainty(x)
    assert (found.variance is not None) == (name == "heteroscedastic_gp")


def test_a_head_that_cannot_be_leaves_the_model_as_it_is():
    stock = cases.make("mlp")
    with pytest.raises(ValueError, match="num_factors"):
        plexify(stock, head="heteroscedastic", head_options={"num_factors": 9})
    with pytest.raises(ValueError, match="is that of one unit"):
        plexify(stock, head_options={"likelihood": "poisson"})
    assert type(stock.layers[-1]) is keras.layers.Dense


@pytest.mark.parametrize("name", ["heteroscedastic", "heteroscedastic_gp"])
def test_one_unit_has_a_sigmoid_link(name):
    stock = cases.make("regression")
    model = plexify(stock, last_blocks=1, head=name)
    assert model.conversion.head.layer.link == "sigmoid"
