"""The call that users make: neutral, faithful, and strict about its input."""

import keras
import numpy as np
import pytest

import keras_plex
from keras_plex import plexify


def mlp(activation=None):
    return keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(8, "relu"),
            keras.layers.Dense(8, "relu"),
            keras.layers.Dense(3, activation),
        ]
    )


@pytest.fixture
def x():
    return np.random.default_rng(0).normal(size=(5, 4)).astype("float32")


def probabilities(logits):
    return keras.ops.convert_to_numpy(keras.ops.softmax(logits))


@pytest.mark.parametrize("head", ["keep", "gp", "batch_ensemble"])
def test_without_noise_the_forecast_is_the_stock_models(head, x):
    stock = mlp()
    model = plexify(stock, head=head, fast_weight_stddev=0.0)
    expected = probabilities(stock(x))
    np.testing.assert_allclose(probabilities(model(x)), expected, atol=1e-5)
    members = model.predict_members(x)
    assert members.shape == (5, 3, 3)
    for member in range(3):
        member_probabilities = probabilities(members[:, member])
        np.testing.assert_allclose(member_probabilities, expected, atol=1e-5)


def test_with_noise_the_members_differ(x):
    members = plexify(mlp(), fast_weight_stddev=0.5, seed=0).predict_members(x)
    assert np.abs(members[:, 0] - members[:, 1]).max() > 0.01


def test_one_seed_gives_one_model(x):
    stock = mlp()
    first, second = (plexify(stock, seed=7) for _ in range(2))
    other = plexify(stock, seed=8)
    np.testing.assert_array_equal(first(x), second(x))
    assert np.abs(np.asarray(first(x)) - np.asarray(other(x))).max() > 1e-3


def test_the_result_is_a_plex_model_and_of_the_stock_class(x):
    model = plexify(mlp())
    assert isinstance(model, keras_plex.PlexModel)
    assert isinstance(model, keras.Sequential)
    assert model.ensemble_size == 3


def test_the_stock_model_stays_as_it_was(x):
    stock = mlp()
    before = [weight.copy() for weight in stock.get_weights()]
    classes = [type(layer) for layer in stock.layers]
    model = plexify(stock)
    model.compile("sgd", "mse")
    model.fit(x, np.zeros((5, 3)), verbose=0)
    assert [type(layer) for layer in stock.layers] == classes
    for weight, expected in zip(stock.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, expected)


def test_a_new_head_has_as_many_logits_as_classes(x):
    model = plexify(mlp(), num_classes=7, last_blocks=1)
    assert model(x).shape == (5, 7)


def test_a_compiled_stock_model_gives_a_compiled_one():
    stock = mlp("softmax")
    stock.compile(keras.optimizers.Adam(0.02), "categorical_crossentropy")
    model = plexify(stock)
    assert model.compiled
    assert float(model.optimizer.learning_rate) == pytest.approx(0.02)
    assert model.optimizer is not stock.optimizer


BAD_ARGUMENTS = {
    "ensemble_size": (0, "`ensemble_size` must be a positive integer"),
    "last_blocks": (9, "which has 2 blocks. Received: last_blocks=9"),
    "method": ("packed", "Unknown method: 'packed'. Available:"),
    "method_options": ({"rank": 3}, "has no option 'rank'. Its options: fast"),
    "head": ("laplacian", "Unknown head: 'laplacian'. Available: 'gp'"),
    "head_options": ({"features": 3}, "has no option 'features'"),
    "fast_weight_stddev": (-1.0, "`fast_weight_stddev` must be `None` or"),
    "layers": (["nothing"], "The pattern 'nothing' in `layers` matches none"),
    "num_classes": (0, "`num_classes` must be a positive integer"),
    "seed": (-1, "`seed` must be `None` or a non-negative integer"),
    "ensemble_attention": (False, "0 of 4 layers found|belong to attention"),
}


@pytest.mark.parametrize("name", BAD_ARGUMENTS)
def test_a_bad_argument_is_named_and_changes_nothing(name, x):
    value, message = BAD_ARGUMENTS[name]
    stock = mlp()
    before = np.asarray(stock(x))
    with pytest.raises(ValueError, match=message):
        plexify(stock, **{name: value})
    np.testing.assert_array_equal(stock(x), before)


def test_a_converted_model_is_refused():
    with pytest.raises(ValueError, match="is converted already"):
        plexify(plexify(mlp()))


def test_what_is_no_model_is_refused():
    with pytest.raises(ValueError, match="must be a `keras.Model`"):
        plexify(keras.layers.Dense(3))


def test_a_model_without_weights_is_refused():
    with pytest.raises(ValueError, match="is not built"):
        plexify(keras.Sequential([keras.layers.Dense(3)]))


def test_a_call_with_another_shape_is_refused(x):
    with pytest.raises(ValueError, match="incompatible|expected"):
        plexify(mlp())(x[:, :3])
