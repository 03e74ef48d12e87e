"""Which stock layers a layer of ours can take over from."""

import keras


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
