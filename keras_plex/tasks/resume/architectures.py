"""What a model computes with its weights, as plain data."""

import types
from collections.abc import Mapping
from typing import Any

import keras

from keras_plex.conversion.surgery import walk_layers
from keras_plex.tasks.resume.configs import plain_config
from keras_plex.tasks.resume.graphs import mark_functions
from keras_plex.tasks.resume.values import describe_value
from keras_plex.tasks.resume.values import is_of_library
from keras_plex.types import Config


def describe_architecture(model: keras.Model) -> Config:
    """The config of the model and those of its layers; names do not count.

    Of a layer or model without a config the class counts. Of a SavedModel the
    graphs count: exports of one model that were traced differently are taken
    for two models.

    Args:
        model: a Keras model, or an `ExportedClassifier`.
    """
    functions = getattr(getattr(model, "saved", None), "functions", None)
    if isinstance(functions, Mapping):
        return {"graphs": mark_functions(functions)}
    return {
        "config": plain_config(model),
        "layers": [_describe_layer(layer) for layer in walk_layers(model)],
    }


def _describe_layer(layer: keras.layers.Layer) -> list[Any]:
    # Members have the names of the layers that they come from.
    config = plain_config(layer, own_names=False)
    # A config holds the code of a lambda, and of a function the name alone.
    functions = {
        name: describe_value(value, f"`{name}` of layer {layer.name!r}")
        for name in (config or {}).get("config", {})
        if isinstance(value := getattr(layer, name, None), types.FunctionType)
        and value.__name__ != "<lambda>"
        and not is_of_library(value)
    }
    return [type(layer).__name__, config, functions]
