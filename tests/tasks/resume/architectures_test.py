"""What a model computes counts, where it has a config and where it has none."""

import keras
import pytest

from keras_plex.tasks.resume.architectures import describe_architecture


class Scaled(keras.Model):
    """Has no config: its argument cannot be serialized."""

    def __init__(self, layers, thing=None):
        super().__init__()
        self.thing = thing or object()
        self.steps = layers

    def call(self, x):
        for step in self.steps:
            x = step(x)
        return x


def double(x):
    return 2 * x


def twice():
    def double(x):
        return x + x

    return double


MODELS = {
    "scale": lambda: Scaled([keras.layers.Rescaling(1.0)]),
    "other scale": lambda: Scaled([keras.layers.Rescaling(-1.0)]),
    "order": lambda: Scaled([keras.layers.ReLU(), keras.layers.Rescaling(1.0)]),
    "other order": lambda: Scaled(
        [keras.layers.Rescaling(1.0), keras.layers.ReLU()]
    ),
    "function": lambda: keras.Sequential([keras.layers.Activation(double)]),
    "function of that name": lambda: keras.Sequential(
        [keras.layers.Activation(twice())]
    ),
    "lambda": lambda: Scaled([keras.layers.Lambda(lambda x: 2 * x)]),
    "other lambda": lambda: Scaled([keras.layers.Lambda(lambda x: 3 * x)]),
    "nested": lambda: keras.Sequential(
        [keras.Input((2,)), Scaled([keras.layers.ReLU(max_value=6.0)])]
    ),
    "other nested": lambda: keras.Sequential(
        [keras.Input((2,)), Scaled([keras.layers.ReLU(max_value=5.0)])]
    ),
}


@pytest.mark.parametrize("name", MODELS)
def test_the_same_code_gives_the_same_and_all_others_differ(name):
    found = describe_architecture(MODELS[name]())
    assert found == describe_architecture(MODELS[name]())
    others = [describe_architecture(MODELS[x]()) for x in MODELS if x != name]
    assert found not in others
