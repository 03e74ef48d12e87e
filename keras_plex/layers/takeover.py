"""How a layer of ours takes over from a stock one."""

from typing import TypeVar

import keras
from keras import ops

from keras_plex.types import Config

Layer = TypeVar("Layer", bound=keras.layers.Dense)


def check_takeover(
    name: str, stock: type[keras.layers.Layer], layer: keras.layers.Layer
) -> None:
    """Raises unless `layer` is a built, unquantized layer of class `stock`.

    Args:
        name: the class that takes over, for the message.
        stock: the Keras class it takes over from.
        layer: what came.
    """
    if type(layer) is not stock:
        raise ValueError(
            f"`{name}.from_layer` takes over a "
            f"`keras.layers.{stock.__name__}`. Received: layer={layer!r}"
        )
    if not layer.built:
        raise ValueError(
            "`from_layer` needs a built layer, whose weights it takes over. "
            f"Call `layer.build(input_shape)` first. Received: layer={layer!r}"
        )
    if layer.quantization_mode is not None:
        raise ValueError(
            "`from_layer` cannot take over a quantized layer: convert first, "
            f"quantize after. Received: layer={layer!r} with "
            f"quantization_mode={layer.quantization_mode!r}"
        )


def take_over_dense(
    cls: type[Layer], layer: keras.layers.Dense, arguments: Config
) -> Layer:
    """A new layer of a subclass of `Dense`, with the weights of a built one.

    Args:
        cls: the class of the new layer.
        layer: left as it is. LoRA weights are merged into the kernel.
        arguments: of the new layer, beside those of the `Dense`.
    """
    check_takeover(cls.__name__, keras.layers.Dense, layer)
    config = {**layer.get_config(), "lora_rank": None, **arguments}
    new = cls.from_config(config)
    new.build((None, layer.kernel.shape[0]))
    new.kernel.assign(ops.copy(layer.kernel))
    if layer.bias is not None:
        new.bias.assign(ops.copy(layer.bias))
    new.trainable = layer.trainable
    return new
