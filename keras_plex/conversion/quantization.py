"""Layers that were quantized or given LoRA: recorded in a file, made again.

Keras's configurations leave out many of them, such as a task's output layer.
"""

import keras

from keras_plex.conversion.surgery import fix_dtype_policy
from keras_plex.conversion.surgery import owns_variables
from keras_plex.conversion.surgery import walk_layers
from keras_plex.types import Config

# Those that need nothing but the weights; others look at data, too.
MODES = ("int8", "int4", "float8")


def quantization_of(model: keras.Model) -> Config:
    """How the layers of a model are quantized, as a file can hold it."""
    return {
        str(number): _how_quantized(layer)
        for number, layer in enumerate(_numbered(model))
        if layer.quantization_mode is not None
    }


def quantize_as(model: keras.Model, quantization: Config) -> None:
    """Quantizes the layers of a model as `quantization_of` another tells.

    Args:
        model: of the same architecture; changed in place. What its own
            configuration quantized already stays as it is.
        quantization: by the number of the layer.
    """
    layers = _numbered(model)
    for number, how in quantization.items():
        _quantize(layers[int(number)], how)


def enable_lora_as(new: keras.layers.Layer, old: keras.layers.Layer) -> None:
    """Gives a layer LoRA of the same rank, if the other has it."""
    if getattr(old, "lora_enabled", False):
        if not new.lora_enabled:
            new.enable_lora(old.lora_rank)
        new.lora_alpha = old.lora_alpha


def take_over(new: keras.layers.Layer, old: keras.layers.Layer) -> None:
    """Gives a new layer the weights of another, quantized and LoRA like it."""
    if old.quantization_mode is not None:
        _quantize(new, _how_quantized(old))
    enable_lora_as(new, old)
    if [w.name for w in new.weights] == [w.name for w in old.weights]:
        new.set_weights(old.get_weights())
        return
    # Their order depends on when the layer was quantized.
    values = {weight.name: weight for weight in old.weights}
    for weight in new.weights:
        weight.assign(values[weight.name])


def check_modes(model: keras.Model) -> None:
    """Raises for quantized layers that cannot be made again."""
    others = {
        layer.quantization_mode: layer.path
        for layer in walk_layers(model)
        if layer.quantization_mode not in (None, *MODES)
    }
    for mode, path in others.items():
        raise ValueError(
            f"The layer {path!r} is quantized by {mode!r}, which needs data. "
            f"`plexify` takes layers that are quantized by {', '.join(MODES)}, "
            "or not at all."
        )


def _how_quantized(layer: keras.layers.Layer) -> Config:
    return {
        "mode": layer.quantization_mode,
        "config": keras.saving.serialize_keras_object(
            getattr(layer, "quantization_config", None)
        ),
    }


def _quantize(layer: keras.layers.Layer, how: Config) -> None:
    if layer.quantization_mode is None:
        config = keras.saving.deserialize_keras_object(how["config"])
        # Its class may have a mixin in front: that is no other layer.
        layer.quantize(how["mode"], type_check=False, config=config)
    # Keras cannot save a layer whose policy is looked up by its path.
    fix_dtype_policy(layer)


def _numbered(model: keras.Model) -> list[keras.layers.Layer]:
    # Containers come and go where inputs are shared; these do not.
    return [layer for layer in walk_layers(model) if owns_variables(layer)]
