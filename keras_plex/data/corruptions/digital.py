"""What cameras and files do: contrast, lens, resolution, compression."""

import io

import numpy as np
from scipy import ndimage

from keras_plex.data.corruptions.randomness import Generators
from keras_plex.data.corruptions.randomness import uniform
from keras_plex.data.corruptions.sampling import sampled
from keras_plex.data.corruptions.severities import Severities

# Share of the contrast that is left.
CONTRAST = Severities(
    small=((0.75,), (0.5,), (0.4,), (0.3,), (0.15,)),
    large=((0.4,), (0.3,), (0.2,), (0.1,), (0.05,)),
)
# Strength and width of the local shifts, greatest shift of a corner. The large
# ones were published with 244, not 224.
ELASTIC_TRANSFORM = Severities(
    small=(
        (0, 0, 32 * 0.08),
        (32 * 0.05, 32 * 0.2, 32 * 0.07),
        (32 * 0.08, 32 * 0.06, 32 * 0.06),
        (32 * 0.1, 32 * 0.04, 32 * 0.05),
        (32 * 0.1, 32 * 0.03, 32 * 0.03),
    ),
    large=(
        (244 * 2, 244 * 0.7, 244 * 0.1),
        (244 * 2, 244 * 0.08, 244 * 0.2),
        (244 * 0.05, 244 * 0.01, 244 * 0.02),
        (244 * 0.07, 244 * 0.01, 244 * 0.02),
        (244 * 0.12, 244 * 0.01, 244 * 0.02),
    ),
    lengths=(0, 1, 2),
)
# Side of the small image, as a share.
PIXELATE = Severities(
    small=((0.95,), (0.9,), (0.85,), (0.75,), (0.65,)),
    large=((0.6,), (0.5,), (0.4,), (0.3,), (0.25,)),
)
# Quality, of 100.
JPEG_COMPRESSION = Severities(
    small=((80,), (65,), (58,), (50,), (40,)),
    large=((25,), (18,), (15,), (10,), (7,)),
)


def contrast(
    images: np.ndarray, severity: int, generators: Generators
) -> np.ndarray:
    """Draws each channel towards its mean over the image."""
    (left,) = CONTRAST.at(severity, images)
    means = np.stack([image.mean(axis=(0, 1)) for image in images])
    means = means[:, None, None, :]
    return (images - means) * left + means


def elastic_transform(
    images: np.ndarray, severity: int, generators: Generators
) -> np.ndarray:
    """Stretches the image as a whole and, with severity, ever more locally.

    Both at once, with one interpolation; the original makes two. The published
    severities trade the first for the second, so that the fifth need not be
    farther from the clean image than the first.
    """
    strength, width, corner = ELASTIC_TRANSFORM.at(severity, images)
    shape = images.shape[1:3]
    # (batch, 2, height, width)
    shifts = uniform(generators, (2, *shape), -1, 1)
    shifts = strength * ndimage.gaussian_filter(
        shifts, (0, 0, width, width), truncate=3, mode="reflect"
    )
    places = np.indices(shape) + shifts
    rows, columns = places[:, 0], places[:, 1]
    # (batch, 3, 2): what row, column and one give to the row, to the column.
    affine = _affine(generators, shape, corner)
    to_row, to_column = np.moveaxis(affine, -1, 0)[..., None, None]
    return sampled(
        images,
        to_row[:, 0] * rows + to_row[:, 1] * columns + to_row[:, 2],
        to_column[:, 0] * rows + to_column[:, 1] * columns + to_column[:, 2],
    )


def _affine(
    generators: Generators, shape: tuple[int, int], corner: float
) -> np.ndarray:
    """Maps that move three points around the centre by up to `corner`."""
    middle, reach = np.array(shape) // 2, min(shape) // 3
    points = middle + reach * np.array([[1, 1], [1, -1], [-1, -1]])
    # (batch, 3 points, row and column)
    moved = points + uniform(generators, (3, 2), -corner, corner)
    ones = np.ones((*moved.shape[:2], 1))
    return np.linalg.solve(
        np.concatenate([moved, ones], axis=-1),
        np.broadcast_to(points.astype(float), moved.shape),
    )


def pixelate(
    images: np.ndarray, severity: int, generators: Generators
) -> np.ndarray:
    """Averages cells of pixels: a small image, shown large."""
    (share,) = PIXELATE.at(severity, images)
    for axis in (1, 2):
        side = images.shape[axis]
        few = int(side * share)
        cells = ((np.arange(side) + 0.5) * few / side).astype(int)
        starts = np.searchsorted(cells, np.arange(few))
        sizes = np.bincount(cells).reshape((-1, 1, 1) if axis == 1 else (-1, 1))
        means = np.add.reduceat(images, starts, axis) / sizes
        images = np.take(means, cells, axis)
    return images


def jpeg_compression(
    images: np.ndarray, severity: int, generators: Generators
) -> np.ndarray:
    """Writes a JPEG file and reads it. Needs Pillow."""
    try:
        from PIL import Image
    except ImportError as error:
        raise ModuleNotFoundError(
            "JPEG compression needs Pillow. Install it with "
            "`pip install pillow`.",
            name="PIL",
        ) from error
    (quality,) = JPEG_COMPRESSION.at(severity, images)
    decoded = []
    for pixels in np.rint(images * 255).astype("uint8"):
        # A grey image has no axis of channels in Pillow.
        is_grey = pixels.shape[-1] == 1
        image = Image.fromarray(pixels[..., 0] if is_grey else pixels)
        file = io.BytesIO()
        image.save(file, "JPEG", quality=round(quality))
        decoded.append(np.asarray(Image.open(file)).reshape(pixels.shape))
    return np.stack(decoded) / np.float32(255)
