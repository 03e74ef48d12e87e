"""How files of data are read for a model: what was typed, what it takes."""

import argparse
import pathlib
from collections.abc import Mapping
from typing import Any

import keras

from keras_plex.checks import is_positive_integer
from keras_plex.cli.data_files import ENCODING
from keras_plex.cli.data_files import Reading
from keras_plex.data.corruptions.corrupt_images import check_value_range
from keras_plex.tasks.checks import num_classes_of

# Option -> the arguments of `add_argument`.
FILE_OPTIONS: dict[str, dict[str, Any]] = {
    "--classes": {
        "metavar": "A,B,...",
        "help": "names of classes in the order of the model's outputs, or a "
        "file with one on each line",
    },
    "--image-size": {
        "metavar": "HxW",
        "help": "of images (default: that of the model's input)",
    },
    "--image-range": {
        "metavar": "BLACK,WHITE",
        "help": "what the model takes, as in --image-range=-1,1 (default: "
        "0,255 for images in folders, 0,1 for benchmarks)",
    },
}


def add_reading_arguments(parser: argparse.ArgumentParser) -> None:
    """`--classes`, `--image-size`, `--image-range`, `--batch-size`."""
    for name, settings in FILE_OPTIONS.items():
        parser.add_argument(name, **settings)
    parser.add_argument(
        "--batch-size", type=int, default=32, help="default: %(default)s"
    )


def reading_for(arguments: argparse.Namespace, model: keras.Model) -> Reading:
    """What was typed, and what the model says itself."""
    if not is_positive_integer(arguments.batch_size):
        raise ValueError(
            "--batch-size must be a positive integer. "
            f"Received: {arguments.batch_size}"
        )
    num_classes = num_classes_of(model)
    size, channels = _size_and_channels(arguments, model)
    return Reading(
        classes=_class_names(arguments.classes, num_classes),
        num_classes=num_classes,
        image_size=size,
        image_range=image_range(arguments) or (0.0, 255.0),
        channels=channels,
        batch_size=arguments.batch_size,
    )


def image_range(arguments: argparse.Namespace) -> tuple[float, float] | None:
    """Black and white, where they were typed."""
    typed = arguments.image_range
    return None if typed is None else parse_range(typed)


def parse_range(typed: str) -> tuple[float, float]:
    """Black and white, as in `"0,255"`."""
    pair = _two_numbers(typed, ",", "--image-range", float)
    try:
        return check_value_range(pair)
    except ValueError:
        raise ValueError(
            "--image-range must be two finite numbers, black and white, the "
            f"first below the second. Received: {typed!r}"
        ) from None


def check_same_images(
    arguments: argparse.Namespace, models: Mapping[str, keras.Model]
) -> None:
    """Raises unless images in folders are read alike for all models.

    Args:
        arguments: of `add_reading_arguments`.
        models: by name.
    """
    shapes = {
        name: _size_and_channels(arguments, model)
        for name, model in models.items()
    }
    if len(set(shapes.values())) > 1:
        said = [
            f"{name!r} takes size={size}, channels={channels}"
            for name, (size, channels) in shapes.items()
        ]
        raise ValueError(
            "Models that are compared on images in folders must take the same "
            "size and channels. Where one takes any size, pass --image-size; "
            "else `keras-plex evaluate` each with --output, and compare the "
            f"reports. Received: {'; '.join(said)}"
        )


def _size_and_channels(
    arguments: argparse.Namespace, model: keras.Model
) -> tuple[tuple[int, int] | None, int]:
    """What was typed, or else what the model says."""
    size, channels = _image_shape(model)
    if arguments.image_size is not None:
        size = _two_numbers(arguments.image_size, "x", "--image-size", int)
    return size, channels


def _class_names(
    classes: str | None, num_classes: int | None
) -> tuple[str, ...]:
    if classes is None:
        return ()
    file = pathlib.Path(classes)
    if file.is_file():
        lines = file.read_text(encoding=ENCODING).splitlines()
        names = [line.strip() for line in lines if line.strip()]
    else:
        names = [name.strip() for name in classes.split(",")]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"--classes must differ. Received: {twice} twice")
    if num_classes is not None and len(names) != num_classes:
        raise ValueError(
            f"--classes must name all {num_classes} classes of the model, in "
            f"the order of its outputs. Received: {len(names)}: {names[:5]}"
        )
    return tuple(names)


def _two_numbers(text: str, sign: str, option: str, number: type) -> Any:
    parts = text.lower().split(sign)
    try:
        first, second = map(number, parts)
    except ValueError:
        raise ValueError(
            f"{option} takes two numbers, as in 1{sign}2. Received: {text!r}"
        ) from None
    return first, second


def _image_shape(model: keras.Model) -> tuple[tuple[int, int] | None, int]:
    """Height and width, where the model fixes them, and the channels."""
    shape = getattr(model, "input_shape", None)
    if not isinstance(shape, tuple) or len(shape) != 4:
        return None, 3
    if keras.config.image_data_format() == "channels_first":
        shape = (shape[0], *shape[2:], shape[1])
    height, width, channels = shape[1:]
    return (None if None in (height, width) else (height, width)), channels or 3
