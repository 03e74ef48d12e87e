"""Images read at places between their pixels.

All is elementwise: an example gets the same bits in any batch.
"""

import numpy as np


def zoomed(images: np.ndarray, factor: float) -> np.ndarray:
    """The centre of `(batch, height, width, ...)`, enlarged to their size."""
    for axis in (1, 2):
        side = images.shape[axis]
        places = (np.arange(side) + 0.5 - side / 2) / factor + side / 2 - 0.5
        images = _read_line(images, places, axis)
    return images


def sampled(
    images: np.ndarray, rows: np.ndarray, columns: np.ndarray
) -> np.ndarray:
    """Reads images anywhere; beyond its edge an image is mirrored.

    Args:
        images: `(batch, height, width, channels)`.
        rows: `(batch, height, width)`, where each result is read.
        columns: likewise.
    """
    height, width = images.shape[1:3]
    example = np.arange(len(images))[:, None, None]
    top, down = _floor(_mirrored(rows, height), height)
    left, right = _floor(_mirrored(columns, width), width)
    upper = _blend(
        images[example, top, left], images[example, top, left + 1], right
    )
    lower = _blend(
        images[example, top + 1, left],
        images[example, top + 1, left + 1],
        right,
    )
    return _blend(upper, lower, down)


def _read_line(images: np.ndarray, places: np.ndarray, axis: int) -> np.ndarray:
    index, share = _floor(places, images.shape[axis])
    share = share.reshape([-1 if i == axis else 1 for i in range(images.ndim)])
    before = np.take(images, index, axis)
    return before + share * (np.take(images, index + 1, axis) - before)


def _floor(places: np.ndarray, side: int) -> tuple[np.ndarray, np.ndarray]:
    """The pixel before each place, and how far on towards the next."""
    places = np.clip(places, 0, side - 1)
    index = np.minimum(places.astype(int), side - 2)
    return index, (places - index).astype("float32")


def _mirrored(places: np.ndarray, side: int) -> np.ndarray:
    return np.abs((places + side - 1) % (2 * side - 2) - (side - 1))


def _blend(
    before: np.ndarray, after: np.ndarray, share: np.ndarray
) -> np.ndarray:
    # (batch, height, width) -> one share for all channels
    return before + share[..., None] * (after - before)
