"""Blur: out of focus, behind frosted glass, of a motion, of a zoom."""

import numpy as np
from scipy import ndimage

from keras_plex.data.corruptions.randomness import Generators
from keras_plex.data.corruptions.randomness import uniform
from keras_plex.data.corruptions.sampling import zoomed
from keras_plex.data.corruptions.severities import LARGE_SIDE
from keras_plex.data.corruptions.severities import SMALL_SIDE
from keras_plex.data.corruptions.severities import Rows
from keras_plex.data.corruptions.severities import Severities

# Radius of the disk, standard deviation that softens its edge.
DEFOCUS_BLUR = Severities(
    small=((0.3, 0.4), (0.4, 0.5), (0.5, 0.6), (1, 0.2), (1.5, 0.1)),
    large=((3, 0.1), (4, 0.5), (6, 0.5), (8, 0.5), (10, 0.5)),
    lengths=(0, 1),
)
# Softness of an edge that is not soft.
HARD = 0.01
# Standard deviation of the blur, greatest shift of a pixel, rounds of shifts.
GLASS_BLUR = Severities(
    small=((0.05, 1, 1), (0.25, 1, 1), (0.4, 1, 1), (0.25, 1, 2), (0.4, 1, 2)),
    large=((0.7, 1, 2), (0.9, 2, 1), (1, 2, 3), (1.1, 3, 2), (1.5, 4, 2)),
    lengths=(0, 1),
)
# Radius and standard deviation of the streak.
MOTION_BLUR = Severities(
    small=((6, 1), (6, 1.5), (6, 2), (8, 2), (9, 2.5)),
    large=((10, 3), (15, 5), (15, 8), (15, 12), (20, 15)),
    lengths=(0, 1),
)
# The zooms end before the first number; their step.
ZOOM_BLUR = Severities(
    small=(
        (1.06, 0.01),
        (1.11, 0.01),
        (1.16, 0.01),
        (1.21, 0.01),
        (1.26, 0.01),
    ),
    large=(
        (1.11, 0.01),
        (1.16, 0.01),
        (1.21, 0.02),
        (1.26, 0.02),
        (1.31, 0.03),
    ),
)


def defocus_blur(
    images: np.ndarray, severity: int, generators: Generators
) -> np.ndarray:
    """Spreads each pixel over a disk: a lens out of focus."""
    kernel = defocus_kernel(severity, images)
    reach = len(kernel) // 2
    height, width = images.shape[1:3]
    edge = (reach, reach)
    padded = np.pad(images, ((0, 0), edge, edge, (0, 0)), mode="reflect")
    blurred = np.zeros_like(images)
    for row, column in np.argwhere(kernel > 0):
        window = padded[:, row : row + height, column : column + width]
        blurred += kernel[row, column] * window
    return blurred


def defocus_kernel(severity: int, images: np.ndarray) -> np.ndarray:
    """The published kernel at 32 pixels a side and from 224 on.

    In between and below it spreads as far as those two say: a radius under one
    pixel with an edge that is nearly hard would change nothing.
    """
    side = min(images.shape[1:3])
    if side == SMALL_SIDE or side >= LARGE_SIDE:
        return disk(*DEFOCUS_BLUR.at(severity, images))
    (spread,) = DEFOCUS_SPREADS.at(severity, images)
    return kernel_of_spread(spread)


def kernel_of_spread(spread: float) -> np.ndarray:
    """The blend of the two disks, of whole pixels, that are nearest in spread.

    Args:
        spread: root mean square distance from the centre, in pixels.
    """
    radius, inner = 1, disk(0, HARD)
    outer = disk(radius, HARD)
    while spread_of(outer) < spread:
        radius, inner = radius + 1, outer
        outer = disk(radius, HARD)
    inner = np.pad(inner, (len(outer) - len(inner)) // 2)
    low, high = spread_of(inner) ** 2, spread_of(outer) ** 2
    share = (spread**2 - low) / (high - low)
    return (1 - share) * inner + share * outer


def spread_of(kernel: np.ndarray) -> float:
    """Root mean square distance of the weights from the centre, in pixels."""
    side = np.arange(len(kernel)) - len(kernel) // 2
    return float(np.sqrt(np.sum(kernel * (side[:, None] ** 2 + side**2))))


def disk(radius: float, softness: float) -> np.ndarray:
    """A disk of weights that sum to one, with a soft edge.

    Args:
        radius: in pixels; below 1, one pixel.
        softness: standard deviation of the Gaussian over the edge.
    """
    reach = 1 if radius <= 8 else 2
    side = np.arange(-int(radius) - reach, int(radius) + reach + 1)
    inside = side[:, None] ** 2 + side**2 <= radius**2
    line = np.exp(-0.5 * (np.arange(-reach, reach + 1) / softness) ** 2)
    weights = ndimage.convolve(
        inside.astype("float32"), np.outer(line, line), mode="constant"
    )
    return weights / weights.sum()


def _spreads(rows: Rows) -> Rows:
    return tuple((spread_of(disk(*row)),) for row in rows)


# How far the published kernels spread each pixel.
DEFOCUS_SPREADS = Severities(
    small=_spreads(DEFOCUS_BLUR.small),
    large=_spreads(DEFOCUS_BLUR.large),
    lengths=(0,),
)


def glass_blur(
    images: np.ndarray, severity: int, generators: Generators
) -> np.ndarray:
    """Blurs, mixes up what is close by, blurs: frosted glass.

    Each pixel takes the colour of one up to `shift` away. So do the published
    files, whose code set out to swap the two.
    """
    deviation, shift, rounds = GLASS_BLUR.at(severity, images)
    shift = max(1, round(shift))
    height, width = images.shape[1:3]
    example = np.arange(len(images))[:, None, None]
    images = _smoothed(images, deviation)
    for _ in range(round(rounds)):
        steps = np.stack(
            [g.integers(-shift, shift, (2, height, width)) for g in generators]
        )
        rows, columns = np.moveaxis(np.indices((height, width)) + steps, 1, 0)
        rows = np.clip(rows, 0, height - 1)
        columns = np.clip(columns, 0, width - 1)
        images = images[example, rows, columns]
    return _smoothed(images, deviation)


def _smoothed(images: np.ndarray, deviation: float) -> np.ndarray:
    sigma = (0, deviation, deviation, 0)
    return ndimage.gaussian_filter(images, sigma, mode="nearest")


def motion_blur(
    images: np.ndarray, severity: int, generators: Generators
) -> np.ndarray:
    """Draws each pixel into a streak: the camera moved."""
    radius, deviation = MOTION_BLUR.at(severity, images)
    angles = uniform(generators, low=-45, high=45)
    return streaked(images, radius, deviation, angles)


def streaked(
    images: np.ndarray, radius: float, deviation: float, angles: np.ndarray
) -> np.ndarray:
    """Each image with its pixels drawn out in one direction.

    Args:
        images: `(batch, height, width, channels)`.
        radius: half the length of the streak.
        deviation: standard deviation of its half Gaussian of weights.
        angles: `(batch,)`, in degrees from the horizontal.
    """
    weights = streak(radius, deviation)
    height, width = images.shape[1:3]
    reach = len(weights)
    edge = (reach, reach)
    padded = np.pad(images, ((0, 0), edge, edge, (0, 0)), mode="edge")
    blurred = np.zeros_like(images)
    # (batch,) -> (batch, length of the streak)
    turns = np.radians(angles)[:, None]
    rows = reach + np.rint(np.arange(reach) * np.sin(turns)).astype(int)
    columns = reach + np.rint(np.arange(reach) * np.cos(turns)).astype(int)
    for example, image in enumerate(padded):
        for weight, row, column in zip(
            weights, rows[example], columns[example], strict=True
        ):
            window = image[row : row + height, column : column + width]
            blurred[example] += weight * window
    return blurred


def streak(radius: float, deviation: float) -> np.ndarray:
    """Weights along a streak, from its head on, that sum to one."""
    steps = np.arange(2 * int(np.ceil(radius)) + 1)
    weights = np.exp(-0.5 * (steps / deviation) ** 2).astype("float32")
    return weights / weights.sum()


def zoom_blur(
    images: np.ndarray, severity: int, generators: Generators
) -> np.ndarray:
    """Averages an image and enlarged ones: the camera came closer."""
    stop, step = ZOOM_BLUR.at(severity, images)
    factors = np.arange(1, stop, step)
    total = images.copy()
    for factor in factors:
        total += zoomed(images, factor)
    return total / np.float32(len(factors) + 1)
