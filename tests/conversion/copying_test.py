"""A copy is the model again, down to its flags; only compiling is apart."""

import warnings

import keras
import numpy as np
import pytest
from keras import layers
from keras import ops

from keras_plex import plexify
from keras_plex.conversion.copying import copy_compilation
from keras_plex.conversion.copying import copy_model
from keras_plex.conversion.surgery import walk_layers
from tests import cases


def check_copy(model):
    """Same class, outputs, weights and flags; no weight in common."""
    copy = copy_model(model)
    x = cases.examples(model)
    ours, theirs = cases.to_numpy(copy(x)), cases.to_numpy(model(x))
    keras.tree.map_structure(np.testing.assert_array_equal, ours, theirs)
    assert type(copy) is type(model)
    assert copy.name == model.name
    old = [layer for layer in walk_layers(model) if layer.weights]
    new = [layer for layer in walk_layers(copy) if layer.weights]
    for get in (
        lambda layer: type(layer),
        lambda layer: layer.trainable,
        lambda layer: layer.dtype_policy.name,
    ):
        assert [get(layer) for layer in new] == [get(layer) for layer in old]
    flags = [weight.trainable for weight in model.weights]
    assert [weight.trainable for weight in copy.weights] == flags
    assert not {id(w) for w in copy.weights} & {id(w) for w in model.weights}
    return copy


@pytest.mark.parametrize("name", cases.MODELS)
def test_a_copy_gives_the_same(name):
    check_copy(cases.make(name))


def test_an_adapted_normalization_stays_adapted():
    normalization = layers.Normalization()
    normalization.adapt(np.array([[1.0, 2.0], [5.0, 8.0]]))
    model = keras.Sequential([keras.Input((2,)), normalization])
    model.add(layers.Dense(3))
    check_copy(model)


def test_a_layer_does_not_hide_an_operation_of_its_name():
    inputs = keras.Input((4,))
    x = layers.Add()([inputs, layers.Dense(4)(inputs)])
    check_copy(keras.Model(inputs, x + layers.Dense(4)(x)))


def test_a_frozen_backbone_stays_frozen():
    model = cases.make("vit")
    model.backbone.trainable = False
    copy = check_copy(model)
    assert not copy.backbone.trainable
    assert len(copy.trainable_weights) == 2


@pytest.mark.parametrize("name", ["nested", "custom_blocks"])
def test_a_frozen_part_stays_frozen(name):
    model = cases.make(name)
    walk_layers(model)[-3].trainable = False
    check_copy(model)


def test_a_frozen_block_with_a_thawed_layer_stays_so():
    model = cases.make("custom_blocks")
    block = model.get_layer("block_1")
    block.trainable = False
    block.down.trainable = True
    check_copy(model)


def test_a_wholly_frozen_model_stays_frozen():
    model = cases.make("mlp")
    model.trainable = False
    assert not check_copy(model).trainable


def test_frozen_statistics_stay_so():
    model = keras.Sequential(
        [keras.Input((4,)), layers.BatchNormalization(), layers.Dense(3)]
    )
    check_copy(cases.with_random_weights(model))


@pytest.mark.parametrize("alpha", [None, 2, 8])
@pytest.mark.parametrize("name", ["mlp", "transformer"])
def test_lora_comes_along(name, alpha):
    model = cases.make(name)
    dense = [x for x in walk_layers(model) if type(x) is layers.Dense]
    for layer in dense[:2]:
        layer.enable_lora(2, lora_alpha=alpha)
    cases.with_random_weights(model)
    copy = check_copy(model)
    found = [x for x in walk_layers(copy) if getattr(x, "lora_enabled", False)]
    assert [x.lora_alpha for x in found] == [x.lora_alpha for x in dense[:2]]


def test_lora_of_a_backbone_comes_along():
    model = cases.make("vit")
    model.backbone.enable_lora(2)
    check_copy(cases.with_random_weights(model))


def test_lora_members_start_as_the_stock_model():
    model = cases.make("mlp")
    model.layers[1].enable_lora(2, lora_alpha=8)
    cases.with_random_weights(model)
    x = cases.examples(model)
    for last_blocks in (1, 2):
        plex = plexify(
            model, last_blocks=last_blocks, head="keep", fast_weight_stddev=0.0
        )
        np.testing.assert_allclose(
            ops.softmax(plex(x)), ops.softmax(model(x)), atol=1e-5
        )


def test_the_preprocessor_is_shared():
    import keras_hub

    converter = keras_hub.layers.ViTImageConverter(image_size=(8, 8))
    preprocessor = keras_hub.models.ViTImageClassifierPreprocessor(converter)
    model = cases.vit(2, preprocessor=preprocessor)
    assert copy_model(model).preprocessor is preprocessor
    assert model.preprocessor is preprocessor
    plex = plexify(model, last_blocks=1, head="keep")
    assert plex.preprocessor is preprocessor
    numbers = plexify(model, num_classes=5, last_blocks=1, head="keep")
    assert numbers.preprocessor is preprocessor


class Unregistered(layers.Layer):
    """A layer that its user never registered."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.dense = layers.Dense(units)

    def build(self, input_shape):
        self.dense.build(input_shape)

    def call(self, inputs):
        return self.dense(inputs)

    def get_config(self):
        return {**super().get_config(), "units": self.units}


def test_custom_layers_need_no_registration():
    model = keras.Sequential([keras.Input((4,)), Unregistered(3)])
    check_copy(cases.with_random_weights(model))


def test_a_dtype_of_one_layer_stays():
    keras.config.set_dtype_policy("mixed_bfloat16")
    inputs = keras.Input((4,))
    x = layers.Dense(5)(inputs)
    model = keras.Model(inputs, layers.Dense(3, dtype="float32")(x))
    check_copy(cases.with_random_weights(model))


def test_the_dtype_of_a_task_head_stays():
    import keras_hub

    backbone = cases.vit_backbone(2, dtype="mixed_bfloat16")
    model = keras_hub.models.ViTImageClassifier(
        backbone, num_classes=3, head_dtype="float32"
    )
    check_copy(cases.with_random_weights(model))


def test_entries_of_the_configuration_can_be_replaced():
    assert copy_model(cases.make("mlp"), name="other").name == "other"


# What cannot be copied.


class NoConfig(keras.Sequential):
    def get_config(self):
        raise NotImplementedError("not written")


class OtherWeights(keras.Sequential):
    @classmethod
    def from_config(cls, config, custom_objects=None):
        inputs = keras.Input((4,))
        return cls([inputs, layers.Dense(9)])


@pytest.mark.parametrize(
    "cls, message",
    [
        (NoConfig, "Cannot copy 'mine'.*`get_config`.*It said: not written"),
        (OtherWeights, "Cannot copy 'mine'.*other weights"),
    ],
)
def test_a_model_that_cannot_be_made_again_is_refused(cls, message):
    model = cls([keras.Input((4,)), layers.Dense(3)], name="mine")
    with pytest.raises(ValueError, match=message):
        copy_model(model)
    with pytest.raises(ValueError, match=message):
        plexify(model)


def unregistered(x):
    return x


def test_a_function_that_no_file_can_hold_is_named():
    parts = [layers.Dense(4, unregistered), layers.Dense(4), layers.Dense(3)]
    model = keras.Sequential([keras.Input((4,)), *parts], name="mine")
    message = "Cannot copy 'mine'.*said: Could not locate .*'unregistered'"
    with pytest.raises(ValueError, match=message):
        plexify(model)


# Compilation.


def compiled_mlp(**arguments):
    model = cases.make("mlp")
    model.compile(**arguments)
    return model


def test_a_compiled_model_gives_a_compiled_one():
    optimizer = keras.optimizers.AdamW(0.02, weight_decay=0.1)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model = compiled_mlp(
        optimizer=optimizer, loss=loss, metrics=["accuracy"], run_eagerly=True
    )
    model.fit(np.ones((4, 4)), np.zeros(4), verbose=0)
    plex = plexify(model, head="keep")
    assert plex.compiled and plex.run_eagerly
    assert plex.optimizer is not optimizer
    assert plex.optimizer.get_config() == optimizer.get_config()
    assert int(plex.optimizer.iterations) == 0
    assert int(optimizer.iterations) == 1
    assert plex.loss is not loss
    assert plex.loss.get_config() == loss.get_config()
    plex.fit(np.ones((4, 4)), np.zeros(4), verbose=0)
    assert "accuracy" in plex.get_metrics_result()


def test_a_compiled_task_gives_a_compiled_one():
    model = cases.make("vit_softmax")
    model.compile(optimizer=keras.optimizers.SGD(0.3))
    plex = plexify(model, last_blocks=1, head="keep")
    assert plex.compiled
    assert type(plex.optimizer) is keras.optimizers.SGD
    assert float(plex.optimizer.learning_rate) == pytest.approx(0.3)
    assert plex.loss.get_config() == model.loss.get_config()


def test_a_changed_learning_rate_comes_along():
    model = compiled_mlp(optimizer="sgd", loss="mse")
    model.optimizer.learning_rate = 0.125
    assert float(plexify(model).optimizer.learning_rate) == 0.125


def test_an_uncompiled_model_gives_an_uncompiled_one():
    assert not plexify(cases.make("mlp")).compiled


def test_a_new_head_gives_an_uncompiled_model():
    model = compiled_mlp(optimizer="sgd", loss="mse")
    assert not plexify(model, num_classes=5).compiled


def test_what_cannot_be_copied_is_said():
    def my_loss(y, y_pred):
        return ops.mean(ops.square(y - y_pred), axis=-1)

    model = compiled_mlp(optimizer="sgd", loss=my_loss)
    copy = copy_model(model)
    with pytest.warns(UserWarning, match="how 'mlp' was compiled.*`compile`"):
        copy_compilation(model, copy)
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        plex = plexify(model, head="keep")
    assert len(found) == 1
    assert found[0].filename == __file__
    plex.compile("sgd", my_loss)
