"""From files to arrays that a network takes."""

import json
import pathlib
from typing import Any

import numpy as np

Arrays = tuple[Any, np.ndarray]


def as_images(x: np.ndarray) -> np.ndarray:
    x = x[..., None] if x.ndim == 3 else x
    return x.astype("float32") / 255.0


def as_labels(y: Any) -> np.ndarray:
    return np.asarray(y).astype("int32")


def as_shares(votes: np.ndarray) -> np.ndarray:
    return (votes / votes.sum(axis=1, keepdims=True)).astype("float32")


def split_arrays(
    x: np.ndarray, y: np.ndarray, train: int, validation: int, seed: int
) -> tuple[Arrays, Arrays]:
    order = np.random.default_rng(seed).permutation(len(x))
    first, second = order[:train], order[train : train + validation]
    return (x[first], y[first]), (x[second], y[second])


def shuffle_arrays(x: np.ndarray, y: np.ndarray, seed: int) -> Arrays:
    # Files are sorted, and KerasHub's tasks do not shuffle arrays.
    order = np.random.default_rng(seed).permutation(len(x))
    return x[order], y[order]


def shrink_images(images: np.ndarray, size: int) -> np.ndarray:
    """Grey images in another size, by means of areas."""
    from PIL import Image

    small = [
        np.asarray(Image.fromarray(one).resize((size, size), Image.BOX))
        for one in images
    ]
    return np.stack(small)


def decode_images(arrays: Any, split: str) -> np.ndarray:
    import tensorflow as tf

    data, ends = arrays[f"jpeg_{split}"].tobytes(), arrays[f"offsets_{split}"]
    files = [data[a:b] for a, b in zip(ends[:-1], ends[1:], strict=True)]
    decode = tf.io.decode_jpeg
    return np.stack([decode(file, channels=3).numpy() for file in files])


def read_lines(path: pathlib.Path) -> list[dict]:
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def join_pair(row: dict) -> str:
    return f"hypothesis: {row['hypothesis']} premise: {row['premise']}"
