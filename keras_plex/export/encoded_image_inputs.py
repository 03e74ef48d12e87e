"""Requests of image files, which the exported graph decodes and prepares."""

from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from keras_plex.conversion.preprocessors import preprocessor_of
from keras_plex.data.named.image_batches import LUMA
from keras_plex.data.named.model_inputs import ImageInputs
from keras_plex.data.named.model_inputs import image_inputs
from keras_plex.export.inputs import INPUT
from keras_plex.export.inputs import ServingInputs
from keras_plex.export.inputs import array_inputs
from keras_plex.export.inputs import one_string
from keras_plex.types import Tensor


def encoded_image_inputs(
    model: keras.Model, value_range: tuple[float, float] | None = None
) -> ServingInputs:
    """The bytes of a JPEG, PNG, GIF or BMP file for each example, of any size.

    They become what the network takes: by the preprocessor of a KerasHub task,
    or else by resizing the largest middle part of the right shape and scaling.

    Args:
        model: takes one batch of images.
        value_range: black and white of what it takes; see `image_inputs`.

    Raises:
        ValueError: for a model that takes something else, or any size.
    """
    import tensorflow as tf

    wanted = image_inputs(model, value_range)
    if wanted.size is None:
        raise ValueError(
            f"{model.name!r} takes images of any size, and those of a request "
            "must get one: build it with that, as in "
            "`keras.Input((224, 224, 3))`."
        )
    network = array_inputs(model)
    (name, spec), *_ = network.specs.items()
    preprocessor = preprocessor_of(model)
    if preprocessor is None:
        prepare = _resize_and_scale(wanted, wanted.size)
    else:
        prepare = _preprocess(wanted, preprocessor)
    prepared = tf.TensorSpec((*wanted.size, spec.shape[-1]), spec.dtype)

    def prepare_file(encoded: Tensor) -> Tensor:
        # (height, width, 3), uint8
        image = tf.io.decode_image(encoded, 3, expand_animations=False)
        image = prepare(tf.ensure_shape(image, (None, None, 3)))
        return tf.cast(image, spec.dtype)

    def to_model(named: dict[str, Tensor]) -> Any:
        images = tf.map_fn(
            prepare_file, named[INPUT], fn_output_signature=prepared
        )
        return network.to_model({name: images})

    return ServingInputs(one_string(), to_model, preprocessor)


def _preprocess(
    wanted: ImageInputs, preprocessor: Callable[[Tensor], Tensor]
) -> Callable[[Tensor], Tensor]:
    """As a KerasHub task prepares one raw image."""
    return lambda image: preprocessor(_with_channels(image, wanted.channels))


def _resize_and_scale(
    wanted: ImageInputs, size: tuple[int, int]
) -> Callable[[Tensor], Tensor]:
    """As a named data set is read for a model without a preprocessor."""
    resize = keras.layers.Resizing(*size, **dict(wanted.resizing))
    low, high = wanted.value_range

    def prepare(image: Tensor) -> Tensor:
        # Bicubic interpolation goes beyond what it is given.
        image = ops.clip(ops.cast(resize(image), "float32"), 0.0, 255.0)
        image = _with_channels(image, wanted.channels)
        return image * ((high - low) / 255) + low

    return prepare


def _with_channels(image: Tensor, channels: int | None) -> Tensor:
    """Grey, if the model wants one channel."""
    if channels != 1:
        return image
    return ops.matmul(ops.cast(image, "float32"), LUMA[:, None])
