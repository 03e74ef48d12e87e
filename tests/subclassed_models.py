"""Models that users write as classes, built by being called on data."""

import keras
import numpy as np
from keras import layers
from keras import ops

from tests import cases

register = keras.saving.register_keras_serializable("keras_plex_tests")


@register
class Classifier(keras.Model):
    """Dropout before its output layer; knows whether it trains."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense_1 = layers.Dense(6, "relu", name="dense_1")
        self.dense_2 = layers.Dense(6, "relu", name="dense_2")
        self.dropout = layers.Dropout(0.5)
        self.head = layers.Dense(cases.CLASSES, name="head")

    def call(self, inputs, training=None):
        x = self.dense_2(self.dense_1(inputs))
        return self.head(self.dropout(x, training=training))


@register
class Activated(Classifier):
    """The activation is a layer of its own."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.softmax = layers.Softmax()

    def call(self, inputs, training=None):
        return self.softmax(super().call(inputs, training=training))


@register
class BuiltByShape(Classifier):
    """Makes its weights in a `build` of its own."""

    def build(self, input_shape):
        self.dense_1.build(input_shape)
        self.dense_2.build((None, 6))
        self.head.build((None, 6))


@register
class RawResidual(Classifier):
    """Adds what comes out of a layer to what goes in, as plain arithmetic."""

    def call(self, inputs, training=None):
        x = self.dense_1(inputs)
        return self.head(x + self.dense_2(x))


@register
class Blocks(keras.Model):
    """A row of blocks, each of which adds to its input."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.embed = layers.Dense(6, name="embed")
        self.blocks = [
            cases.FeedForwardBlock(name=f"block_{i}") for i in range(3)
        ]
        self.head = layers.Dense(cases.CLASSES, name="head")

    def call(self, inputs):
        x = self.embed(inputs)
        for block in self.blocks:
            x = block(x)
        return self.head(x)


@register
class Words(keras.Model):
    """Its inputs are indices, which no floating point number can be."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.table = layers.Embedding(7, 6)
        self.dense_1 = layers.Dense(6, "tanh", name="dense_1")
        self.head = layers.Dense(cases.CLASSES, name="head")

    def build(self, input_shape):
        self.table.build(input_shape)
        self.dense_1.build((*input_shape, 6))
        self.head.build((None, 6))

    def call(self, inputs):
        # A table look-up without the cast of `Embedding`.
        x = ops.take(self.table.embeddings, ops.bitwise_and(inputs, 7), axis=0)
        return self.head(ops.mean(self.dense_1(x), axis=1))


@register
class Several(keras.Model):
    """Words and numbers in, a class and a number out."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.table = layers.Embedding(7, 4)
        self.dense_1 = layers.Dense(6, "relu", name="dense_1")
        self.dense_2 = layers.Dense(6, "relu", name="dense_2")
        self.label = layers.Dense(cases.CLASSES, "softmax", name="label")
        self.number = layers.Dense(1, name="number")

    def call(self, inputs):
        x = ops.mean(self.table(inputs["words"]), axis=1)
        x = self.dense_1(ops.concatenate([x, inputs["numbers"]], axis=-1))
        return {"label": self.label(self.dense_2(x)), "number": self.number(x)}


def numbers(count: int = 4) -> np.ndarray:
    return np.random.default_rng(1).normal(size=(count, 5)).astype("float32")


def words(count: int = 4) -> np.ndarray:
    return np.random.default_rng(1).integers(
        0, 7, size=(count, 5), dtype="int32"
    )


def words_and_numbers(count: int = 4) -> dict[str, np.ndarray]:
    return {"words": words(count), "numbers": numbers(count)}


# Class -> what makes its inputs.
INPUTS = {
    Classifier: numbers,
    Activated: numbers,
    BuiltByShape: numbers,
    RawResidual: numbers,
    Blocks: numbers,
    Words: words,
    Several: words_and_numbers,
}


def make(cls: type[keras.Model]) -> keras.Model:
    """A built model with random weights, the same each time."""
    keras.utils.set_random_seed(0)
    model = cls(name=cls.__name__.lower())
    model(INPUTS[cls]())
    return cases.with_random_weights(model)
