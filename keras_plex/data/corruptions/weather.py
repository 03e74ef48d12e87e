"""Weather: snow, frost, fog, and more light than usual."""

import numpy as np

from keras_plex.data.corruptions.blur import streaked
from keras_plex.data.corruptions.plasma import plasma
from keras_plex.data.corruptions.randomness import Generators
from keras_plex.data.corruptions.randomness import normal
from keras_plex.data.corruptions.randomness import uniform
from keras_plex.data.corruptions.sampling import zoomed
from keras_plex.data.corruptions.severities import Severities

# Mean and standard deviation of the flakes, their size, the brightness below
# which there is none; radius and standard deviation of their streaks; what is
# left of the colours.
SNOW = Severities(
    small=(
        (0.1, 0.2, 1, 0.6, 8, 3, 0.95),
        (0.1, 0.2, 1, 0.5, 10, 4, 0.9),
        (0.15, 0.3, 1.75, 0.55, 10, 4, 0.9),
        (0.25, 0.3, 2.25, 0.6, 12, 6, 0.85),
        (0.3, 0.3, 1.25, 0.65, 14, 12, 0.8),
    ),
    large=(
        (0.1, 0.3, 3, 0.5, 10, 4, 0.8),
        (0.2, 0.3, 2, 0.5, 12, 4, 0.7),
        (0.55, 0.3, 4, 0.9, 12, 8, 0.7),
        (0.55, 0.3, 4.5, 0.85, 12, 8, 0.65),
        (0.55, 0.3, 2.5, 0.85, 12, 12, 0.55),
    ),
    lengths=(2, 4, 5),
)
# Weight of the image, weight of the ice.
FROST = Severities(
    small=((1, 0.2), (1, 0.3), (0.9, 0.4), (0.85, 0.4), (0.75, 0.45)),
    large=((1, 0.4), (0.8, 0.6), (0.7, 0.7), (0.65, 0.7), (0.6, 0.75)),
)
# Weight of the fog, how fast its parts shrink with their size.
FOG = Severities(
    small=((0.2, 3), (0.5, 3), (0.75, 2.5), (1, 2), (1.5, 1.75)),
    large=((1.5, 2), (2, 2), (2.5, 1.7), (2.5, 1.5), (3, 1.4)),
)
# Added to the brightness of a colour.
BRIGHTNESS = Severities(
    small=((0.05,), (0.1,), (0.15,), (0.2,), (0.3,)),
    large=((0.1,), (0.2,), (0.3,), (0.4,), (0.5,)),
)

LUMINANCE = np.array([0.299, 0.587, 0.114], "float32")
# Red, green, blue of ice.
ICE = np.array([0.82, 0.92, 1.0], "float32")
TURNS = np.array([0, 60, 120, 180, 240, 300], "float32")


def snow(
    images: np.ndarray, severity: int, generators: Generators
) -> np.ndarray:
    """Flakes that fall, before a landscape that they whiten."""
    mean, deviation, size, least, radius, spread, colour = SNOW.at(
        severity, images
    )
    flakes = mean + deviation * normal(generators, images.shape[1:3])
    flakes = zoomed(flakes[..., None], max(1, size))
    flakes = np.where(flakes < least, 0, np.clip(flakes, 0, 1))
    angles = uniform(generators, low=-135, high=-45)
    flakes = streaked(flakes.astype("float32"), radius, spread, angles)
    whitened = np.maximum(images, 1.5 * _luminance(images) + 0.5)
    images = colour * images + (1 - colour) * whitened
    return images + flakes + flakes[:, ::-1, ::-1]


def _luminance(images: np.ndarray) -> np.ndarray:
    # (batch, height, width, channels) -> (batch, height, width, 1)
    if images.shape[-1] == 1:
        return images
    red, green, blue = np.moveaxis(images * LUMINANCE, -1, 0)
    return (red + green + blue)[..., None]


def frost(
    images: np.ndarray, severity: int, generators: Generators
) -> np.ndarray:
    """Ice on the lens.

    The ice is drawn, needles and veins on a dull ground; the original lays
    photographs of frosted windows over the image.
    """
    image_weight, ice_weight = FROST.at(severity, images)
    colour = ICE if images.shape[-1] == 3 else ICE[[1]]
    ice = _ice(generators, *images.shape[1:3])[..., None] * colour
    return image_weight * images + ice_weight * ice


def _ice(generators: Generators, height: int, width: int) -> np.ndarray:
    """Brightness of ice, `(batch, height, width)`."""
    ground = plasma(generators, height, width, decay=1.7)
    # Where a rough map crosses its middle there is a vein.
    veins = 1 - np.abs(2 * plasma(generators, height, width, decay=1.4) - 1)
    length = min(height, width) / 16
    # None on the edge, which `streaked` goes on with outside the image.
    seeds = uniform(generators, (height - 2, width - 2, 1)) < 1 / (60 * length)
    seeds = np.pad(seeds, ((0, 0), (1, 1), (1, 1), (0, 0)))
    needles = np.zeros(ground.shape, "float32")
    # Crystals grow at angles of 60 degrees.
    for angle in uniform(generators, low=0, high=60)[None] + TURNS[:, None]:
        grown = streaked(seeds.astype("float32"), length, length, angle)
        needles = np.maximum(needles, grown[..., 0])
    needles = np.minimum(1, needles * 2 * length)
    return 0.2 + 0.4 * ground + 0.25 * veins**6 + 0.3 * needles


def fog(
    images: np.ndarray, severity: int, generators: Generators
) -> np.ndarray:
    """Clouds before the image, as bright as its brightest pixel."""
    weight, decay = FOG.at(severity, images)
    clouds = plasma(generators, *images.shape[1:3], decay)[..., None]
    brightest = images.max(axis=(1, 2, 3), keepdims=True)
    return (images + weight * clouds) * brightest / (brightest + weight)


def brightness(
    images: np.ndarray, severity: int, generators: Generators
) -> np.ndarray:
    """Adds to the value of hue, saturation and value: much daylight."""
    (more,) = BRIGHTNESS.at(severity, images)
    value = images.max(axis=-1, keepdims=True)
    brighter = np.minimum(value + more, 1)
    is_black = value == 0
    return np.where(
        is_black, brighter, images * brighter / np.where(is_black, 1, value)
    )
