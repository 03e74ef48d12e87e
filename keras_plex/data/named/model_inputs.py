"""What a model wants to be fed: raw or prepared images, strings, pairs."""

import dataclasses
import itertools
import sys
from collections.abc import Callable
from typing import Any

import keras

from keras_plex.conversion.surgery import walk_layers
from keras_plex.data.corruptions.corrupt_images import check_value_range
from keras_plex.tables import lookup

RAW_RANGE = (0.0, 255.0)
DEFAULT_RANGE = (0.0, 1.0)

# Where no preprocessor says how: all of it, so that two can be compared.
DEFAULT_RESIZING = (
    ("crop_to_aspect_ratio", True),
    ("interpolation", "bilinear"),
    ("antialias", False),
)


@dataclasses.dataclass(frozen=True)
class ImageInputs:
    """The images that a model takes, channels last.

    Args:
        size: height and width; `None` where any will do.
        channels: 1 or 3; `None` where any will do.
        value_range: black and white.
        resizing: arguments of `keras.layers.Resizing`.
    """

    size: tuple[int, int] | None
    channels: int | None
    value_range: tuple[float, float]
    resizing: tuple[tuple[str, Any], ...] = DEFAULT_RESIZING


@dataclasses.dataclass(frozen=True)
class TextInputs:
    """The texts that a model takes.

    Args:
        pairs_as_one_text: whether pairs become one string, as in
            `"premise: ... hypothesis: ..."`. Defaults to `False`: a tuple.
    """

    pairs_as_one_text: bool = False


ModelInputs = ImageInputs | TextInputs


def model_inputs(
    model: keras.Model,
    modality: str,
    value_range: tuple[float, float] | None = None,
) -> ModelInputs:
    """What a model wants to be fed.

    Args:
        model: any Keras classifier.
        modality: `"image"`, `"text"` or `"text pair"`.
        value_range: black and white of its images; see `image_inputs`.

    Raises:
        ValueError: for a model that does not take them, or does not say how.
    """
    return lookup(INPUTS, modality, "modality")(model, value_range)


def says_inputs(model: keras.Model, modality: str) -> bool:
    """Whether a model shows what it takes: a SavedModel may not."""
    if not _layers_of(model):
        return False
    return modality != "image" or _shape_of(model) is not None


def image_inputs(
    model: keras.Model, value_range: tuple[float, float] | None = None
) -> ImageInputs:
    """The images that a model takes.

    A KerasHub task with a preprocessor takes raw images, from 0 to 255, which
    it resizes and scales itself; they come in its size so that they can be
    batched. Another model takes images of its `input_shape`.

    Args:
        model: any Keras image classifier.
        value_range: black and white. Defaults to `(0, 255)` with a
            preprocessor and to `(0, 1)` without one; it must be said for a
            model that scales its images itself, and for a SavedModel, whose
            layers nobody can see.

    Example:

    >>> layers = [keras.Input((32, 32, 3)), keras.layers.Flatten()]
    >>> model = keras.Sequential(layers)
    >>> inputs = image_inputs(model)
    >>> inputs.size, inputs.channels, inputs.value_range
    ((32, 32), 3, (0.0, 1.0))
    """
    converter = getattr(
        getattr(model, "preprocessor", None), "image_converter", None
    )
    height, width, channels = _input_shape(model)
    if converter is None:
        value_range = _checked_range(model, value_range)
        return ImageInputs(_size(height, width), channels, value_range)
    if value_range not in (None, RAW_RANGE):
        raise ValueError(
            f"The preprocessor of {model.name!r} takes images from 0 to 255. "
            "Leave `value_range` out, or set `model.preprocessor = None`. "
            f"Received: value_range={value_range}"
        )
    settings = dict(DEFAULT_RESIZING)
    return ImageInputs(
        converter.image_size or _size(height, width),
        channels,
        RAW_RANGE,
        tuple((name, getattr(converter, name)) for name in settings),
    )


def check_takes_texts(model: keras.Model) -> None:
    """Raises unless the model takes strings."""
    if getattr(model, "takes_texts", False):
        return
    if getattr(model, "preprocessor", None) is None:
        raise ValueError(
            "Text benchmarks feed strings, and the model must take them: a "
            "KerasHub task with its preprocessor, such as "
            "`TextClassifier.from_preset(...)`, or a SavedModel whose one "
            f"input is strings. {model.name!r} has none."
        )


def wants_one_text(model: keras.Model) -> bool:
    """Whether pairs must be written into one string, as for T5."""
    if "keras_hub" not in sys.modules:
        return False
    from keras_plex.hub.t5_text_classifier_preprocessor import (
        T5TextClassifierPreprocessor,
    )

    preprocessor = getattr(model, "preprocessor", None)
    return isinstance(preprocessor, T5TextClassifierPreprocessor)


def _input_shape(model: keras.Model) -> tuple:
    """Height, width and channels."""
    shape = _shape_of(model)
    if isinstance(shape, tuple) and len(shape) == 4:
        if shape[-1] in (1, 3, None):
            return shape[1:]
    raise ValueError(
        "The model must take one batch of images, (batch, height, width, "
        f"channels) with 1 or 3 channels. {model.name!r} has "
        f"input_shape={shape}. Where it is None, say it: "
        "`x = keras.Input((224, 224, 3)); model = keras.Model(x, model(x))`, "
        "and export a SavedModel with that one input."
    )


def _shape_of(model: keras.Model) -> Any:
    """The shape of its inputs, `None` where it does not say."""
    try:
        return model.input_shape
    except (AttributeError, RuntimeError, ValueError):
        return None


def _size(height: int | None, width: int | None) -> tuple[int, int] | None:
    return None if height is None or width is None else (height, width)


def _checked_range(
    model: keras.Model, value_range: tuple[float, float] | None
) -> tuple[float, float]:
    if value_range is not None:
        return check_value_range(value_range)
    layers = _layers_of(model)
    if not layers:
        raise ValueError(
            f"{model.name!r} is a SavedModel, or another model that shows no "
            "layers: one of them may scale its images. Say what it takes: "
            "`value_range=(0, 1)` or `value_range=(0, 255)`, most often."
        )
    scales = (keras.layers.Rescaling, keras.layers.Normalization)
    for layer in layers:
        if isinstance(layer, scales):
            raise ValueError(
                f"{model.name!r} scales its images itself, by {layer.name!r}. "
                "Say from what: `value_range=(0, 255)`, most often."
            )
    return DEFAULT_RANGE


def _layers_of(model: keras.Model) -> list[keras.layers.Layer]:
    members = getattr(model, "members", [model])
    return [*itertools.chain(*map(walk_layers, members))]


def _text_inputs(model: keras.Model, value_range: Any) -> TextInputs:
    check_takes_texts(model)
    return TextInputs()


def _pair_inputs(model: keras.Model, value_range: Any) -> TextInputs:
    check_takes_texts(model)
    return TextInputs(wants_one_text(model))


# Modality of a benchmark -> what a model says of its inputs.
INPUTS: dict[str, Callable[..., ModelInputs]] = {
    "image": image_inputs,
    "text": _text_inputs,
    "text pair": _pair_inputs,
}
