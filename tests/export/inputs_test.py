import keras
import pytest

from keras_plex.export.inputs import array_inputs


def make_model(inputs):
    joined = keras.layers.Concatenate()(keras.tree.flatten(inputs))
    return keras.Model(inputs, keras.layers.Dense(3)(joined))


def named(size, name):
    return keras.Input((size,), name=name)


def test_one_input_is_called_inputs(stock):
    inputs = array_inputs(stock)
    assert list(inputs.specs) == ["inputs"]
    assert inputs.specs["inputs"].shape == (None, 4)
    assert inputs.to_model({"inputs": 5}) == 5


def test_one_input_in_a_list_is_called_inputs():
    x = keras.Input((4,))
    model = keras.Model([x], keras.layers.Dense(3)(x))
    assert array_inputs(model).to_model({"inputs": 5}) == [5]


def test_batch_may_have_any_size_and_integers_stay_integers():
    x = keras.Input(batch_shape=(2, 4), dtype="int32")
    model = keras.Model(x, keras.layers.Dense(3)(x))
    spec = array_inputs(model).specs["inputs"]
    assert (spec.shape, spec.dtype) == ((None, 4), "int32")


def test_dict_keeps_its_keys():
    model = make_model({"b": named(2, "b"), "a": named(3, "a")})
    inputs = array_inputs(model)
    shapes = {name: spec.shape for name, spec in inputs.specs.items()}
    assert shapes == {"a": (None, 3), "b": (None, 2)}
    assert inputs.to_model({"a": 1, "b": 2}) == {"a": 1, "b": 2}


def test_list_takes_the_names_of_its_inputs():
    model = make_model(
        [keras.Input((2,), name="b"), keras.Input((3,), name="a")]
    )
    inputs = array_inputs(model)
    assert set(inputs.specs) == {"a", "b"}
    assert inputs.to_model({"a": 1, "b": 2}) == [2, 1]


def test_nested_inputs_raise():
    model = make_model({"a": [keras.Input((2,)), keras.Input((3,))]})
    with pytest.raises(ValueError, match="one tensor, or a list or a dict"):
        array_inputs(model)


def test_a_tuple_stays_one():
    model = make_model(
        (keras.Input((2,), name="b"), keras.Input((3,), name="a"))
    )
    inputs = array_inputs(model)
    assert set(inputs.specs) == {"a", "b"}
    assert inputs.to_model({"a": 1, "b": 2}) == (2, 1)
