"""A layer that breaks a contract fails `check_layer`, which says which one."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_plex.testing import LAYER_CONTRACTS
from keras_plex.testing import check_layer

register = keras.saving.register_keras_serializable("keras_plex_tests")


@register
class Scale(keras.layers.Layer):
    """Keeps every contract: `inputs * (scale + noise)`."""

    def __init__(self, size=2.0, seed=0, **kwargs):
        super().__init__(**kwargs)
        self.size = size
        self.seed = seed

    def build(self, input_shape):
        self.scale = self.add_weight(
            name="scale",
            shape=(input_shape[-1],),
            initializer=keras.initializers.RandomNormal(seed=self.seed),
        )
        self.precision = self.add_weight(
            name="precision",
            shape=(),
            initializer="zeros",
            dtype=self.statistics_dtype(),
            trainable=False,
        )

    def statistics_dtype(self):
        return "float32"

    def call(self, inputs, training=None):
        if training:
            self.precision.assign_add(1.0)
        return inputs * self.scale * self.size

    def get_config(self):
        return {**super().get_config(), "size": self.size, "seed": self.seed}


@register
class LacksAnArgument(Scale):
    def get_config(self):
        config = super().get_config()
        del config["size"]
        return config


@register
class HoldsAStranger(Scale):
    def get_config(self):
        return {**super().get_config(), "color": "red"}

    @classmethod
    def from_config(cls, config):
        config.pop("color", None)
        return cls(**config)


@register
class ChangesAnArgument(Scale):
    def __init__(self, size=2.0, **kwargs):
        super().__init__(size=size + 1.0, **kwargs)


@register
class NamesAnAttributeOtherwise(Scale):
    def __init__(self, width=1.0, **kwargs):
        super().__init__(**kwargs)
        self.breadth = width

    def get_config(self):
        return {**super().get_config(), "width": self.breadth}


@register
class HoldsAnObject(Scale):
    def get_config(self):
        return {**super().get_config(), "size": object()}


@register
class PromisesAnotherShape(Scale):
    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], input_shape[-1] + 1)


@register
class PromisesAnotherDtype(Scale):
    def call(self, inputs):
        return ops.cast(super().call(inputs), "float16")

    def compute_output_shape(self, input_shape):
        return input_shape


@register
class GivesNaN(Scale):
    def call(self, inputs):
        return super().call(inputs) * float("nan")


@register
class ForgetsItsSeed(Scale):
    def build(self, input_shape):
        super().build(input_shape)
        self.scale.assign(np.random.normal(size=self.scale.shape))


@register
class IsRandomAtInference(Scale):
    def call(self, inputs):
        return inputs + np.random.normal()


@register
class LosesAWeight(Scale):
    def save_own_variables(self, store):
        store["scale"] = ops.zeros(self.scale.shape)

    def load_own_variables(self, store):
        self.scale.assign(store["scale"])


class IsNotRegistered(Scale):
    pass


@register
class SumsInBfloat16(Scale):
    def statistics_dtype(self):
        return self.compute_dtype


@register
class OverflowsInFloat16(Scale):
    def call(self, inputs):
        return super().call(inputs) * 1e7


@register
class LosesTheGradient(Scale):
    def call(self, inputs):
        return inputs + super().call(inputs) * 0.0


@register
class CannotBeCompiled(Scale):
    def call(self, inputs):
        return super().call(inputs) * ops.convert_to_numpy(inputs).mean()

    def compute_output_shape(self, input_shape):
        return input_shape


CONFIG = "config and attributes"
SYMBOLIC = "symbolic equals eager"
TRAINS = "trains in a Functional and in a subclassed model"
BROKEN = [
    (LacksAnArgument, CONFIG, "get_config lacks {'size'}"),
    (HoldsAStranger, CONFIG, "get_config holds {'color'}"),
    (ChangesAnArgument, CONFIG, "changes ['size']"),
    (NamesAnAttributeOtherwise, CONFIG, "no attribute 'width'"),
    (HoldsAnObject, CONFIG, "not JSON serializable"),
    (PromisesAnotherShape, SYMBOLIC, "shape (4, 4), eager (4, 3)"),
    (PromisesAnotherDtype, SYMBOLIC, "float32, eager float16"),
    (GivesNaN, SYMBOLIC, "outputs are not finite"),
    (ForgetsItsSeed, "one seed, one layer", "with one seed differ"),
    (IsRandomAtInference, "inference repeats", "with one input differ"),
    (LosesAWeight, "file round trip", "loaded outputs differ"),
    (IsNotRegistered, "file round trip", "IsNotRegistered"),
    (SumsInBfloat16, "low precision", "precision is bfloat16"),
    (OverflowsInFloat16, "low precision", "mixed_float16 not finite"),
    (LosesTheGradient, TRAINS, "no weight moves"),
]
if keras.config.backend() != "torch":  # which runs eagerly
    BROKEN.append((CannotBeCompiled, TRAINS, ""))


def test_a_layer_that_keeps_every_contract_passes():
    assert check_layer(Scale, {"size": 3.0, "seed": 1}, (4, 3)) is None


@pytest.mark.parametrize(
    "layer_class, input_shape",
    [
        (keras.layers.RMSNormalization, (4, 3)),
        (keras.layers.LayerNormalization, (2, 3, 4)),
        (keras.layers.Softmax, (2, 3, 2, 4)),
    ],
)
def test_layers_of_keras_pass(layer_class, input_shape):
    check_layer(layer_class, {}, input_shape)


@pytest.mark.parametrize("input_dtype", ["int32", "uint8"])
def test_layers_of_integers_pass(input_dtype):
    arguments = {"input_dim": 3, "output_dim": 4}
    check_layer(keras.layers.Embedding, arguments, (4, 2), input_dtype)


def test_a_wrapper_gets_a_fresh_layer_each_time():
    wrapped = keras.layers.Dense(3)
    check_layer(keras.layers.TimeDistributed, {"layer": wrapped}, (4, 2, 3))
    assert not wrapped.built


def test_a_layer_of_integers_without_weights_passes():
    check_layer(keras.layers.Flatten, {}, (4, 2, 3), "int32")


@pytest.mark.parametrize(
    "layer_class, contract, reason",
    BROKEN,
    ids=lambda v: getattr(v, "__name__", ""),
)
def test_a_broken_contract_is_named_with_the_reason(
    layer_class, contract, reason
):
    with pytest.raises(AssertionError) as error:
        check_layer(layer_class, {}, (4, 3))
    message = str(error.value)
    start = f"{layer_class.__name__} breaks the contract {contract!r}: "
    assert message.startswith(start)
    assert reason in message


def test_every_contract_is_broken_by_some_layer_here():
    assert {contract for _, contract, _ in BROKEN} == set(LAYER_CONTRACTS)


def test_a_constructor_that_raises_is_an_assertion_error_too():
    with pytest.raises(AssertionError, match="unexpected keyword|no_such"):
        check_layer(Scale, {"no_such_argument": 1}, (4, 3))
