"""Tiny models of every kind that `plexify` meets, and batches for them.

Weights are all random, biases too: a weight left behind changes an output.
"""

from collections.abc import Callable
from typing import Any
from typing import NamedTuple

import keras
import keras_hub
import numpy as np
from keras import layers
from keras import ops
from keras import tree

from tests import seq2seq_models
from tests import t5_models
from tests import text_models
from tests import vision_models

CLASSES = 3


def vit_backbone(num_layers: int = 3, **arguments) -> keras.Model:
    """A KerasHub ViT: four patches and a class token, width 8."""
    return keras_hub.models.ViTBackbone(
        image_shape=(8, 8, 1),
        patch_size=4,
        num_layers=num_layers,
        num_heads=2,
        hidden_dim=8,
        mlp_dim=8,
        **arguments,
    )


def vit(num_layers: int = 3, **arguments) -> keras.Model:
    """A KerasHub ViT classifier, pooled by its class token."""
    backbone = vit_backbone(num_layers)
    return keras_hub.models.ViTImageClassifier(
        backbone, num_classes=CLASSES, **arguments
    )


def vit_one_logit() -> keras.Model:
    """Two classes, told apart by the sign of one logit."""
    return keras_hub.models.ViTImageClassifier(vit_backbone(2), num_classes=1)


def vit_gap() -> keras.Model:
    return vit(2, pooling="gap")


def vit_intermediate() -> keras.Model:
    return vit(2, intermediate_dim=6)


def vit_softmax() -> keras.Model:
    return vit(2, activation="softmax")


def mlp() -> keras.Model:
    return keras.Sequential(
        [
            keras.Input((4,)),
            layers.Dense(6, "relu", name="dense_1"),
            layers.Dense(5, "relu", name="dense_2"),
            layers.Dense(CLASSES, name="head"),
        ],
        name="mlp",
    )


def regression() -> keras.Model:
    """One linear output."""
    x = keras.Input((4,))
    h = layers.Dense(6, "relu", name="dense_1")(x)
    return keras.Model(x, layers.Dense(1, name="head")(h), name="regression")


def residual_mlp() -> keras.Model:
    """Residual connections around `Dense` layers; `Softmax` at the end."""
    inputs = keras.Input((4,))
    x = layers.Dense(6, name="embed")(inputs)
    for i in ("1", "2"):
        h = layers.Dense(6, "relu", name=f"dense_{i}")(x)
        x = layers.Add(name=f"add_{i}")([x, h])
    x = layers.Dense(CLASSES, name="head")(x)
    return keras.Model(inputs, layers.Softmax()(x), name="residual_mlp")


def transformer() -> keras.Model:
    """Two blocks of Keras's own layers, with no layer around a block."""
    inputs = keras.Input((5, 4))
    x = layers.Dense(8, name="embed")(inputs)
    for i in ("1", "2"):
        h = layers.LayerNormalization(name=f"norm_{i}")(x)
        h = layers.MultiHeadAttention(2, 4, name=f"attention_{i}")(h, h)
        x = layers.Add(name=f"add_attention_{i}")([x, h])
        h = layers.Dense(6, "gelu", name=f"up_{i}")(x)
        h = layers.Dense(8, name=f"down_{i}")(h)
        x = layers.Add(name=f"add_mlp_{i}")([x, h])
    x = layers.GlobalAveragePooling1D()(x)
    x = layers.Dense(CLASSES, name="head")(x)
    return keras.Model(inputs, x, name="transformer")


def multi_output() -> keras.Model:
    """A class and a number; the number comes from before the last `Dense`."""
    inputs = keras.Input((4,))
    x = layers.Dense(6, "relu", name="dense_1")(inputs)
    number = layers.Dense(1, name="number")(x)
    x = layers.Dense(6, "relu", name="dense_2")(x)
    label = layers.Dense(CLASSES, "softmax", name="label")(x)
    outputs = {"label": label, "number": number}
    return keras.Model(inputs, outputs, name="multi_output")


def two_inputs() -> keras.Model:
    """Inputs in a dict, one of which skips the first layer."""
    a, b = keras.Input((4,), name="a"), keras.Input((6,), name="b")
    x = layers.Dense(6, "relu", name="dense_1")(a)
    x = layers.Dense(6, "relu", name="dense_2")(x + b)
    x = layers.Dense(CLASSES, name="head")(x)
    return keras.Model({"a": a, "b": b}, x, name="two_inputs")


def nested() -> keras.Model:
    """The head is that of an inner model, its activation outside."""
    inputs = keras.Input((4,))
    x = layers.Dense(4, "tanh", name="embed")(inputs)
    x = layers.Activation("sigmoid")(mlp()(x))
    return keras.Model(inputs, x, name="nested")


def shared_dense() -> keras.Model:
    """One `Dense` object twice: its second call sees members' rows."""
    inputs = keras.Input((4,))
    shared = layers.Dense(4, "relu", name="shared")
    x = layers.Dense(CLASSES, name="head")(shared(shared(inputs)))
    return keras.Model(inputs, x, name="shared_dense")


def masked() -> keras.Model:
    """Words of a sentence, zero where there is none."""
    inputs = keras.Input((5,), dtype="int32")
    x = layers.Embedding(7, 8, mask_zero=True, name="embed")(inputs)
    x = layers.Dense(8, "tanh", name="dense")(x)
    x = layers.MultiHeadAttention(2, 4, name="attention")(x, x)
    x = layers.GlobalAveragePooling1D(name="pool")(x)
    x = layers.Dense(CLASSES, name="head")(x)
    return keras.Model(inputs, x, name="masked")


@keras.saving.register_keras_serializable("keras_plex_tests")
class FeedForwardBlock(layers.Layer):
    """A block that a user wrote: its residual is plain arithmetic."""

    def build(self, input_shape):
        dim = input_shape[-1]
        self.up = layers.Dense(2 * dim, "relu", name="up")
        self.down = layers.Dense(dim, name="down")
        self.up.build(input_shape)
        self.down.build((*input_shape[:-1], 2 * dim))

    def call(self, inputs):
        return inputs + self.down(self.up(inputs))


def custom_blocks() -> keras.Model:
    inputs = keras.Input((4,))
    x = layers.Dense(6, name="embed")(inputs)
    for i in ("1", "2", "3"):
        x = FeedForwardBlock(name=f"block_{i}")(x)
    x = layers.Dense(CLASSES, name="head")(x)
    return keras.Model(inputs, x, name="custom_blocks")


# All that can be converted with each head and every default argument.
CLASSIFIERS: dict[str, Callable[[], keras.Model]] = {
    "vit": vit,
    "vit_gap": vit_gap,
    "vit_intermediate": vit_intermediate,
    "vit_softmax": vit_softmax,
    "mlp": mlp,
    "residual_mlp": residual_mlp,
    "transformer": transformer,
    "two_inputs": two_inputs,
    "nested": nested,
    "masked": masked,
    "custom_blocks": custom_blocks,
}

MODELS = {
    **CLASSIFIERS,
    "regression": regression,
    "multi_output": multi_output,
    "shared_dense": shared_dense,
}


class FamilyCase(NamedTuple):
    """A tiny model of a family, and how `check_family` converts it.

    Args:
        make_model: makes the stock model.
        arguments: of `plexify`, beside `ensemble_size` and the spread.
        make_inputs: `(model, count)` to inputs; `None` draws them at random.
        tiles_inputs: whether all of it runs once per member.
    """

    make_model: Callable[[], keras.Model]
    arguments: dict[str, Any] = {}
    make_inputs: Callable[[keras.Model, int], Any] | None = None
    tiles_inputs: bool = False


# One row for each family of models that `plexify` knows.
FAMILIES: dict[str, FamilyCase] = {
    "vit": FamilyCase(vit, {"last_blocks": 1}),
    "vit_one_logit": FamilyCase(
        vit_one_logit, {"last_blocks": 1, "head": "keep"}
    ),
    "t5_backbone": FamilyCase(
        t5_models.t5_backbone, {"num_classes": CLASSES, "last_blocks": 1}
    ),
    "t5_classifier": FamilyCase(t5_models.t5_classifier, {"last_blocks": 1}),
    "t5_plex": FamilyCase(
        t5_models.t5_classifier,
        {"last_blocks": 1, "ensemble_attention": False, "head": "gp"},
    ),
    "t5_seq2seq_lm": FamilyCase(
        seq2seq_models.t5_seq2seq_lm, {"last_blocks": 2, "head": "keep"}
    ),
    **{
        name: FamilyCase(make_model, {"last_blocks": 1, "head": "keep"})
        for name, make_model in seq2seq_models.TILED.items()
    },
    **{
        name: FamilyCase(make_model, {"last_blocks": 1, **arguments})
        for name, (make_model, arguments) in vision_models.FAMILIES.items()
    },
    **{
        name: FamilyCase(make_model, {"last_blocks": 1})
        for name, make_model in text_models.CLASSIFIERS.items()
    },
    "bert_backbone": FamilyCase(
        text_models.bert_backbone, {"last_blocks": 1, "num_classes": CLASSES}
    ),
    "electra_backbone": FamilyCase(
        text_models.electra_backbone,
        {"last_blocks": 1, "num_classes": CLASSES},
    ),
    "albert": FamilyCase(text_models.albert, {"last_blocks": 1}),
    "albert_whole": FamilyCase(
        text_models.albert, {"last_blocks": 2}, tiles_inputs=True
    ),
}


# On the other backends, unless all are asked for: one of each kind.
FEW_FAMILIES = ("vit", "resnet", "bert", "t5_classifier", "t5_seq2seq_lm")


def family_arguments(name: str) -> dict[str, Any]:
    """The row's arguments, and few random features where it has some."""
    arguments = FAMILIES[name].arguments
    if arguments.get("head", "gp") != "gp":
        return arguments
    return {"head_options": {"num_features": 8}, **arguments}


def make_family(name: str) -> keras.Model:
    """The model of this row with random weights, the same each time."""
    keras.utils.set_random_seed(0)
    return with_random_weights(FAMILIES[name].make_model())


def make(name: str) -> keras.Model:
    """The model of this name with random weights, the same each time."""
    keras.utils.set_random_seed(0)
    return with_random_weights(MODELS[name]())


def with_random_weights(model: keras.Model, seed: int = 0) -> keras.Model:
    """Adds to each weight a number of about 0.3, also to biases."""
    generator = np.random.default_rng(seed)
    for weight in model.weights:
        noise = generator.normal(scale=0.3, size=weight.shape)
        noise = ops.convert_to_tensor(noise, "float32")
        weight.assign(ops.cast(weight, "float32") + noise)
    return model


def examples(model: keras.Model, count: int = 4, seed: int = 1):
    """Random inputs of the structure, shapes and dtypes that a model takes."""
    generator = np.random.default_rng(seed)

    def draw(x):
        shape = (count, *(5 if size is None else size for size in x.shape[1:]))
        if "mask" in x.name:
            words = np.ones(shape)
            words[0, -1] = 0  # one sentence is shorter
            return words.astype(x.dtype)
        if x.dtype.startswith("int"):
            known = 2 if "segment" in x.name else 7
            words = generator.integers(0, known, size=shape)
            words[:, 0] = 1  # one word at least
            return words.astype(x.dtype)
        return generator.normal(size=shape).astype("float32")

    if isinstance(model, keras.Sequential):
        return draw(model.inputs[0])
    return tree.map_structure(draw, model.input)


def to_numpy(x):
    """The tensors of a structure as float32 arrays."""
    return tree.map_structure(
        lambda t: ops.convert_to_numpy(ops.cast(t, "float32")), x
    )
