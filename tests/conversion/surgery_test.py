"""Objects keep their identity when their class changes."""

import contextlib
import threading
import time

import keras
import numpy as np
import pytest
from keras import ops

from keras_plex.conversion.surgery import add_mixin
from keras_plex.conversion.surgery import argument_names
from keras_plex.conversion.surgery import child_layers
from keras_plex.conversion.surgery import intercept_calls
from keras_plex.conversion.surgery import move_kernel
from keras_plex.conversion.surgery import owns_variables
from keras_plex.conversion.surgery import producer
from keras_plex.conversion.surgery import set_model_class
from keras_plex.conversion.surgery import upgrade_layer
from keras_plex.conversion.surgery import walk_layers
from keras_plex.conversion.surgery import with_mixin
from keras_plex.layers import BatchEnsembleDense
from tests import cases


@pytest.fixture
def mlp():
    return cases.make("mlp")


def names(layers):
    return [layer.name for layer in layers]


def test_the_walk_meets_each_layer_once_and_outer_ones_first():
    model = cases.make("custom_blocks")
    found = names(walk_layers(model))
    assert found.index("block_1") < found.index("up")
    assert len({id(layer) for layer in walk_layers(model)}) == len(found)
    assert found.count("up") == found.count("down") == 3


def test_children_are_those_directly_inside():
    block = cases.make("custom_blocks").get_layer("block_2")
    assert names(child_layers(block)) == ["up", "down"]
    assert child_layers(child_layers(block)[0]) == []


def test_a_container_owns_no_variables():
    model = cases.make("custom_blocks")
    assert not owns_variables(model.get_layer("block_1"))
    assert owns_variables(model.get_layer("block_1").up)
    assert not owns_variables(keras.layers.Dropout(0.0))
    norm = keras.layers.BatchNormalization(scale=False, center=False)
    norm.build((None, 3))
    assert owns_variables(norm)


def test_the_producer_of_an_output_is_its_layer(mlp):
    assert producer(mlp.outputs[0])[0] is mlp.layers[-1]
    assert producer(ops.ones(3))[0] is None
    pooled = ops.mean(keras.Input((3, 4)), axis=1)
    assert "mean" in producer(pooled)[0].name


def test_an_upgraded_layer_is_the_same_object_with_the_same_weights(mlp):
    layer = mlp.layers[1]
    kernel, bias, x = layer.kernel, layer.bias, np.ones((6, 6), "float32")
    before = ops.convert_to_numpy(layer(x))
    config = {**layer.get_config(), "fast_weight_initializer": "ones"}
    upgrade_layer(layer, BatchEnsembleDense.from_config(config))
    assert type(layer) is BatchEnsembleDense
    assert layer is mlp.layers[1]
    assert layer.kernel is kernel and layer.bias is bias
    found = [w.path.removeprefix(layer.path) for w in layer.weights]
    added = ["/alpha", "/gamma", "/member_bias"]
    assert found == ["/kernel", "/bias", *added]
    np.testing.assert_allclose(layer(x), before, atol=1e-6)
    # The lock is back: Keras refuses weights after `build`.
    with pytest.raises(ValueError, match="cannot add new elements"):
        layer.late = keras.Variable(1.0)


def test_the_lock_is_back_after_a_failed_upgrade(mlp):
    layer = mlp.layers[1]
    template = BatchEnsembleDense.from_config(layer.get_config())
    with pytest.raises(TypeError):
        upgrade_layer(layer, template, unknown=1)
    with pytest.raises(ValueError, match="cannot add new elements"):
        layer.late = keras.Variable(1.0)


def test_a_moved_kernel_is_the_same_variable(mlp):
    layer = mlp.layers[1]
    kernel = layer.kernel
    move_kernel(layer, "mean_kernel")
    assert layer.mean_kernel is kernel
    assert [w is kernel for w in layer.weights].count(True) == 1


def test_a_dropped_kernel_is_gone(mlp):
    layer = mlp.layers[1]
    move_kernel(layer, None)
    assert [w.name for w in layer.weights] == ["bias"]


class AddsOne:
    def __call__(self, *args, **kwargs):
        return super().__call__(*args, **kwargs) + self.one


def test_a_mixin_stands_in_front_and_the_name_stays(mlp):
    layer, x = mlp.layers[1], np.ones((2, 6), "float32")
    before = ops.convert_to_numpy(layer(x))
    weights = len(layer.variables)
    add_mixin(layer, AddsOne, one=1.0)
    np.testing.assert_allclose(layer(x), before + 1.0, atol=1e-6)
    assert type(layer).__name__ == "Dense"
    assert isinstance(layer, keras.layers.Dense)
    assert len(layer.variables) == weights
    other = mlp.layers[0]
    add_mixin(other, AddsOne, one=2.0)
    assert type(other) is type(layer)
    assert (layer.one, other.one) == (1.0, 2.0)


def test_a_mixin_for_a_while_leaves_nothing_behind(mlp):
    layer, x = mlp.layers[1], np.ones((2, 6), "float32")
    before = ops.convert_to_numpy(layer(x))
    layer.one = 1.0
    for error in (None, KeyError):
        with contextlib.suppress(KeyError):
            with with_mixin(layer, AddsOne):
                np.testing.assert_allclose(layer(x), before + 1.0, atol=1e-6)
                if error:
                    raise error
        assert type(layer) is keras.layers.Dense
        np.testing.assert_array_equal(layer(x), before)


def test_threads_take_turns_to_mix_one_object(mlp):
    layer, inside = mlp.layers[1], []

    def mix():
        with with_mixin(layer, AddsOne):
            inside.append(type(layer).__mro__.count(AddsOne))
            time.sleep(0.01)
            inside.append(type(layer).__mro__.count(AddsOne))

    threads = [threading.Thread(target=mix) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert inside == [1] * 8
    assert type(layer) is keras.layers.Dense


def test_a_mixin_also_changes_operations_that_are_no_layers():
    x = keras.Input((3,))
    model = keras.Model(x, ops.relu(x))
    add_mixin(producer(model.outputs[0])[0], AddsOne, one=1.0)
    assert ops.convert_to_numpy(model(np.zeros((1, 3)))).tolist() == [[1.0] * 3]


def test_another_model_class_drops_compiled_functions(mlp):
    mlp.predict(np.ones((1, 4)), verbose=0)
    assert mlp.predict_function is not None

    class Other(keras.Sequential):
        pass

    set_model_class(mlp, Other)
    assert type(mlp) is Other
    assert mlp.predict_function is None
    assert mlp.train_function is None
    assert mlp.test_function is None


def test_arguments_have_the_names_of_the_call():
    attention = keras.layers.MultiHeadAttention(2, 4)
    assert argument_names(attention)[:3] == ["query", "value", "key"]
    assert argument_names(keras.layers.Dense(2))[0] == "inputs"
    x = keras.Input((3,))
    assert argument_names(producer(x + x)[0]) == ["x1", "x2"]


def test_intercepted_calls_see_each_layer_once_and_can_change_arguments(mlp):
    seen = []

    def double(operation, args, kwargs):
        seen.append(operation.name)
        if operation.name != "dense_1":
            return args, kwargs
        return (2 * args[0], *args[1:]), kwargs

    x = np.ones((2, 4), "float32")
    expected = ops.convert_to_numpy(mlp(2 * x))
    with intercept_calls(double):
        found = ops.convert_to_numpy(mlp(x))
    np.testing.assert_allclose(found, expected, atol=1e-6)
    for name in ("mlp", "dense_1", "dense_2", "head"):
        assert seen.count(name) == 1


def test_calls_are_as_before_after_an_error(mlp):
    calls = keras.layers.Layer.__call__, keras.Operation.__call__

    def fail(operation, args, kwargs):
        raise KeyError("stop")

    with pytest.raises(KeyError, match="stop"), intercept_calls(fail):
        mlp(np.ones((2, 4)))
    assert calls == (keras.layers.Layer.__call__, keras.Operation.__call__)
    mlp(np.ones((2, 4)))
