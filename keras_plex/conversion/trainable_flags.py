"""What of a model learns: its flags for a file, and the freezing of the rest.

Keras's configurations leave out most flags of inner layers.
"""

from collections.abc import Iterable

import keras

from keras_plex.conversion.surgery import child_layers
from keras_plex.conversion.surgery import learnable_variables
from keras_plex.conversion.surgery import walk_layers
from keras_plex.types import Config


def flags_of(model: keras.Model) -> Config:
    """The layers and single weights of a model that are frozen."""
    layers = _numbered(model)
    return {
        "model": model.trainable,
        "layers": [i for i, layer in enumerate(layers) if not layer.trainable],
        "weights": {
            str(i): frozen
            for i, layer in enumerate(layers)
            if layer.trainable and (frozen := _frozen_weights(layer))
        },
    }


def set_flags(model: keras.Model, flags: Config) -> None:
    """Freezes what `flags_of` a model of the same architecture names."""
    # Outer ones first: a flag goes down to all that is inside.
    model.trainable = flags["model"]
    frozen = set(flags["layers"])
    layers = _numbered(model)
    for i, layer in enumerate(layers):
        layer.trainable = i not in frozen
    for i, names in flags["weights"].items():
        for variable in learnable_variables(layers[int(i)]):
            if variable.name in names:
                variable.trainable = False


def train_only(model: keras.Model, variables: Iterable[keras.Variable]) -> None:
    """Freezes all of a model but these of its variables."""
    wanted = {id(variable) for variable in variables}

    def visit(layer: keras.layers.Layer) -> None:
        if not any(id(weight) in wanted for weight in layer.weights):
            layer.trainable = False
            return
        for child in child_layers(layer):
            visit(child)
        for variable in learnable_variables(layer):
            variable.trainable = id(variable) in wanted

    # A frozen layer hides what learns inside it.
    model.trainable = True
    visit(model)


def _frozen_weights(layer: keras.layers.Layer) -> list[str]:
    if getattr(layer, "lora_enabled", False):
        return []  # a file holds the kernel with LoRA merged, which learns
    return [v.name for v in learnable_variables(layer) if not v.trainable]


def _numbered(model: keras.Model) -> list[keras.layers.Layer]:
    return [layer for layer in walk_layers(model) if layer.weights]
