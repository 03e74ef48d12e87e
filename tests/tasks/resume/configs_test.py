"""A config says what an object computes; names that Keras gave do not count."""

import keras
import pytest

from keras_plex.tasks.resume.configs import plain_config


def branches(**names):
    """Two layers of one class, of which one feeds the other's result."""
    x = keras.Input((3,), name=names.get("input"))
    first = keras.layers.Dense(3, name=names.get("first"))(x)
    second = keras.layers.Dense(3)(first)
    return keras.Model(x, keras.layers.Add()([first, second]) * 2)


def test_automatic_names_do_not_count_and_yours_do():
    one, other = branches(), branches()
    assert one.layers[1].name != other.layers[1].name
    assert plain_config(one) == plain_config(other)
    assert plain_config(branches(first="a")) != plain_config(other)
    assert plain_config(branches(input="a")) != plain_config(other)


def test_what_is_connected_with_what_counts():
    def model(swapped):
        x = keras.Input((3,))
        first = keras.layers.Dense(3)(x)
        second = keras.layers.Dense(3)(first)
        both = (second, first) if swapped else (first, second)
        return keras.Model(x, keras.layers.Subtract()(both))

    assert plain_config(model(False)) == plain_config(model(False))
    assert plain_config(model(False)) != plain_config(model(True))


def test_a_name_that_is_a_setting_counts():
    one = plain_config(keras.layers.Dense(2, dtype="float32"))
    assert one != plain_config(keras.layers.Dense(2, dtype="mixed_bfloat16"))
    # Softmax layers are called like this activation.
    layers = [keras.layers.Dense(2, "softmax"), keras.layers.Softmax()]
    first, second = [
        plain_config(
            keras.Sequential([type(x).from_config(x.get_config()) for x in y])
        )
        for y in (layers, [layers[0], keras.layers.Softmax()])
    ]
    assert first == second


def test_of_a_lambda_the_code_and_what_it_encloses_count():
    def layer(scale, shift=0):
        if shift:
            return keras.layers.Lambda(lambda x: x * scale + 1)
        return keras.layers.Lambda(lambda x: x * scale)

    assert plain_config(layer(2)) == plain_config(layer(2))
    assert plain_config(layer(2)) != plain_config(layer(3))
    assert plain_config(layer(2)) != plain_config(layer(2, shift=1))


@pytest.mark.filterwarnings("ignore:The object being serialized")
def test_of_an_activation_that_is_a_lambda_the_code_counts():
    def layer(scale):
        if scale == 2:
            return keras.layers.Dense(2, lambda x: x * 2)
        return keras.layers.Dense(2, lambda x: x * 3)

    assert "lambda" in plain_config(layer(2))["config"]["activation"]
    assert plain_config(layer(2)) == plain_config(layer(2))
    assert plain_config(layer(2)) != plain_config(layer(3))


def test_building_and_compiling_do_not_count():
    model = keras.Sequential([keras.layers.Dense(2)])
    before = plain_config(model.layers[0])
    model.build((None, 3))
    built = plain_config(model)
    model.compile("adam", "mse")
    assert plain_config(model) == built
    assert plain_config(model.layers[0]) == before


def test_without_a_config_there_is_none():
    class Own(keras.layers.Layer):
        def __init__(self, thing):
            super().__init__()
            self.thing = thing

    assert plain_config(Own(object())) is None
    assert plain_config(object()) is None
