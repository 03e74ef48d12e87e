"""What the requests to an exported model may hold."""

from collections.abc import Callable

import keras

from keras_plex.export.encoded_image_inputs import encoded_image_inputs
from keras_plex.export.inputs import ServingInputs
from keras_plex.export.inputs import array_inputs
from keras_plex.export.text_inputs import text_inputs
from keras_plex.tables import lookup

ENCODED_IMAGE = "encoded_image"

# What a request holds -> the function of the model that makes the inputs.
INPUT_KINDS: dict[str, Callable[..., ServingInputs]] = {
    "array": array_inputs,
    ENCODED_IMAGE: encoded_image_inputs,
    "text": text_inputs,
}


def make_inputs(
    model: keras.Model,
    input_kind: str,
    value_range: tuple[float, float] | None = None,
) -> ServingInputs:
    """The inputs of each signature.

    Args:
        model: a classifier.
        input_kind: a key of `INPUT_KINDS`.
        value_range: of encoded images; see `encoded_image_inputs`.

    Raises:
        ValueError: for a model that does not take that.
    """
    make = lookup(INPUT_KINDS, input_kind, "input kind")
    if input_kind == ENCODED_IMAGE:
        return make(model, value_range)
    if value_range is not None:
        raise ValueError(
            "`value_range` is black and white of what encoded images become. "
            f"Received: input_kind={input_kind!r}, value_range={value_range!r}"
        )
    return make(model)
