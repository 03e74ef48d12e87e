"""Images as the weather, a poor camera or a file may leave them."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from keras_plex.data.corruptions import blur
from keras_plex.data.corruptions import digital
from keras_plex.data.corruptions import noise
from keras_plex.data.corruptions import weather
from keras_plex.data.corruptions.randomness import Generators
from keras_plex.data.corruptions.randomness import check_example_seed
from keras_plex.data.corruptions.randomness import example_generators
from keras_plex.data.corruptions.severities import check_severity
from keras_plex.tables import lookup

# Name -> function of images `(batch, height, width, channels)` float32 in
# [0, 1], a severity, and a generator for each image. What it gives is clipped.
ImageCorruption = Callable[[np.ndarray, int, Generators], np.ndarray]
IMAGE_CORRUPTIONS: dict[str, ImageCorruption] = {
    "gaussian_noise": noise.gaussian_noise,
    "shot_noise": noise.shot_noise,
    "impulse_noise": noise.impulse_noise,
    "defocus_blur": blur.defocus_blur,
    "glass_blur": blur.glass_blur,
    "motion_blur": blur.motion_blur,
    "zoom_blur": blur.zoom_blur,
    "snow": weather.snow,
    "frost": weather.frost,
    "fog": weather.fog,
    "brightness": weather.brightness,
    "contrast": digital.contrast,
    "elastic_transform": digital.elastic_transform,
    "pixelate": digital.pixelate,
    "jpeg_compression": digital.jpeg_compression,
}

MIN_SIDE = 28
# Numbers at a time: they stay in the processor's cache.
CHUNK = 2**18


def corrupt_images(
    images: ArrayLike,
    name: str,
    severity: int,
    *,
    seed: int = 0,
    offset: int = 0,
    value_range: tuple[float, float] | None = None,
) -> np.ndarray:
    """A corrupted copy of images: same labels, same shape, dtype and range.

    The fifteen corruptions of ImageNet-C, for images of any size. They are
    there to measure a model, not to train it: a model that has seen a
    corruption says little about those to come. The constants are those of
    CIFAR-10-C at a side of 32 and those of ImageNet-C at 224; `Severities` says
    what they are elsewhere.

    The randomness of an image depends on `seed`, `name`, `severity` and its
    place in the data set, and so not on the batch that it comes in.

    Three things differ from the published files. The frost is drawn, where
    theirs is photographed. `"elastic_transform"` interpolates once instead of
    twice. Values are rounded where theirs are cut off, and are not written as
    JPEG afterwards.

    Args:
        images: `(batch, height, width, channels)`, 1 or 3 channels, sides of
            at least 28; uint8 or float.
        name: a key of `IMAGE_CORRUPTIONS`. `"jpeg_compression"` needs Pillow.
        severity: from 1, mild, to 5, strong.
        seed: int, of the randomness. Defaults to `0`.
        offset: the place in the data set of the first image. For batches:
            how many images came before. Defaults to `0`.
        value_range: black and white. Defaults to `(0, 255)` for uint8 and to
            `(0.0, 1.0)` for floats.

    Example:

    >>> images = np.full((2, 32, 32, 3), 0.5, "float32")
    >>> foggy = corrupt_images(images, "fog", severity=3)
    >>> foggy.shape, str(foggy.dtype)
    ((2, 32, 32, 3), 'float32')
    >>> second = corrupt_images(images[1:], "fog", severity=3, offset=1)
    >>> bool(np.all(second == foggy[1:]))
    True

    Reference:
        Hendrycks and Dietterich, 2019, [Benchmarking neural network robustness
        to common corruptions and perturbations](
        https://arxiv.org/abs/1903.12261).
    """
    corruption = lookup(IMAGE_CORRUPTIONS, name, "image corruption")
    check_severity(severity)
    check_example_seed(seed, offset)
    images = np.asarray(images)
    low, high = _checked_range(images, value_range)
    _check_images(images, low, high)
    corrupted = np.empty_like(images)
    rows = max(1, CHUNK // max(1, images[:1].size))
    for start in range(0, len(images), rows):
        part = images[start : start + rows]
        first = int(offset) + start
        generators = example_generators(
            int(seed), name, int(severity), range(first, first + len(part))
        )
        scaled = (part.astype("float32") - low) / (high - low)
        found = corruption(scaled, int(severity), generators)
        found = np.clip(low + found * (high - low), low, high)
        if images.dtype == np.uint8:
            found = np.rint(found)
        corrupted[start : start + rows] = found
    return corrupted


def _checked_range(
    images: np.ndarray, value_range: tuple[float, float] | None
) -> tuple[float, float]:
    is_bytes = images.dtype == np.uint8
    if not is_bytes and images.dtype.kind != "f":
        raise ValueError(
            "`images` must be uint8 or float. Convert them first, as in "
            f'`images.astype("uint8")`. Received: dtype={images.dtype}'
        )
    if value_range is None:
        return (0.0, 255.0) if is_bytes else (0.0, 1.0)
    return check_value_range(value_range)


def check_value_range(value_range: Any) -> tuple[float, float]:
    """Black and white; raises unless they are two numbers that grow."""
    pair = np.asarray(value_range)
    are_numbers = pair.shape == (2,) and pair.dtype.kind in "iuf"
    if not are_numbers or not -np.inf < pair[0] < pair[1] < np.inf:
        raise ValueError(
            "`value_range` must be two finite numbers, black and white, the "
            f"first below the second. Received: value_range={value_range!r}"
        )
    return float(pair[0]), float(pair[1])


def _check_images(images: np.ndarray, low: float, high: float) -> None:
    if images.ndim != 4 or images.shape[-1] not in (1, 3):
        raise ValueError(
            "`images` must be (batch, height, width, channels) with 1 or 3 "
            "channels. Add an axis with `images[None]` for one image, "
            "`images[..., None]` for grey ones. "
            f"Received: shape={images.shape}"
        )
    if min(images.shape[1:3]) < MIN_SIDE:
        raise ValueError(
            f"`images` must have sides of at least {MIN_SIDE} pixels: a "
            "severity means nothing on smaller ones. Enlarge them first. "
            f"Received: shape={images.shape}"
        )
    if not images.size:
        return
    lowest, highest = images.min(), images.max()
    # NaN is not within any range.
    if not (lowest >= low and highest <= high):
        raise ValueError(
            f"`images` must lie between {low:g} and {high:g}. Pass "
            "`value_range=(black, white)` if theirs is another. "
            f"Received: values from {lowest:g} to {highest:g}"
        )
