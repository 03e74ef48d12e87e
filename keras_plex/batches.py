"""Every kind of data that a Keras user has, as batches of NumPy arrays."""

import itertools
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
from keras import ops
from keras import tree

from keras_plex.types import Data

Batch = tuple  # (x, y, sample_weight), the last two possibly None


def iterate_batches(
    data: Data, batch_size: int = 32, *, steps: int | None = None
) -> Iterator[Batch]:
    """Yields `(x, y, sample_weight)`; the labels as NumPy arrays.

    Args:
        data: arrays `x`, `(x, y)` or `(x, y, sample_weight)`; or a batched
            `tf.data.Dataset`, a `keras.utils.PyDataset`, a PyTorch
            `DataLoader` or any other iterable that can be read again.
        batch_size: for arrays. Defaults to `32`.
        steps: how many batches at most; data that never ends needs it.
    """
    if steps is None:
        check_data(data, "data")
    is_empty = True
    batches = itertools.islice(_read(data, batch_size), steps)
    for x, y, sample_weight in batches:
        is_empty = False
        labels = _to_numpy(y)
        if labels is not None and labels.ndim == 0:
            raise ValueError(
                "The data set must give batches, as `dataset.batch(32)` does. "
                f"Received: the label {labels} of one example"
            )
        yield x, labels, _to_numpy(sample_weight)
    if is_empty:
        raise ValueError(
            "The data set holds no example. Check the split or the filter that "
            f"made it. Received: {data!r}"
        )


def check_data(data: Data, name: str) -> None:
    """Raises for data that can be read only once, or never ends."""
    check_rereadable(data, name)
    if _is_infinite(data):
        raise ValueError(
            f"`{name}` never ends. Use `take`, or leave `repeat` out. "
            f"Received: {data!r}"
        )


def check_rereadable(data: Data, name: str) -> None:
    """Raises for data that can be read only once."""
    if isinstance(data, Iterator):
        raise ValueError(
            f"`{name}` can be read only once, but is needed again. Pass "
            "arrays, a data set, or an iterable with `__iter__`. "
            f"Received: {data!r}"
        )


def is_rereadable(data: Data) -> bool:
    """Whether data can be read to their end, and then again."""
    return not isinstance(data, Iterator) and not _is_infinite(data)


def _is_infinite(data: Data) -> bool:
    if isinstance(data, keras.utils.PyDataset):
        return data.num_batches is None
    cardinality: Any = getattr(data, "cardinality", None)
    if not callable(cardinality):
        return False
    count: Any = cardinality()
    return int(count) == -1


def _read(data: Data, batch_size: int) -> Iterator[Batch]:
    if isinstance(data, keras.utils.PyDataset):
        count = data.num_batches
        for index in itertools.count() if count is None else range(count):
            yield keras.utils.unpack_x_y_sample_weight(data[index])
    elif is_arrays(data):
        yield from _slices(data, batch_size)
    else:
        for element in data:
            yield keras.utils.unpack_x_y_sample_weight(_as_tuple(element))


def is_arrays(data: Data) -> bool:
    """Whether data are arrays, possibly nested, and no batches of them."""
    # Arrays of another library, or a table of pandas, say that they are.
    is_array = ops.is_tensor(data) or hasattr(data, "__array__")
    if is_array or isinstance(data, dict):
        return True
    if isinstance(data, list):
        # A list of tuples is a list of batches.
        return not any(isinstance(element, tuple) for element in data)
    return isinstance(data, tuple)


def lists_as_arrays(data: Data) -> Data:
    """The data with each list of numbers or of texts as an array.

    Example:

    >>> x, y = lists_as_arrays((["one", "two"], [0, 1]))
    >>> x.shape, y.shape
    ((2,), (2,))
    """
    if isinstance(data, dict):
        return {name: lists_as_arrays(part) for name, part in data.items()}
    if isinstance(data, tuple):
        return tuple(map(lists_as_arrays, data))
    if isinstance(data, list):
        if is_texts(data):
            return texts_as_array(data)
        if all(map(np.isscalar, data)):
            return np.asarray(data)
        return list(map(lists_as_arrays, data))
    return data


def texts_as_array(texts: list) -> np.ndarray:
    """Texts as objects: as strings all would be as wide as the longest."""
    return np.array(texts, dtype=object)


def is_texts(x: Any) -> bool:
    """Whether the inputs of a batch are a list of texts."""
    return (
        isinstance(x, (list, tuple))
        and len(x) > 0
        and isinstance(x[0], (str, bytes))
    )


def count_examples(x: Any) -> int:
    """How many examples the inputs of a batch hold, possibly nested.

    Example:

    >>> count_examples({"a": np.zeros((3, 2)), "b": np.zeros(3)})
    3
    >>> count_examples({"text": ["one", "two"]})
    2
    """
    if isinstance(x, dict):
        return count_examples(next(iter(x.values())))
    if isinstance(x, (list, tuple)) and not is_texts(x):
        return count_examples(x[0])
    return int(x.shape[0]) if ops.is_tensor(x) else len(x)


def as_array(leaf: Any) -> np.ndarray:
    """A tensor, an array or a list, texts among them, as a NumPy array."""
    return np.asarray(
        ops.convert_to_numpy(leaf) if ops.is_tensor(leaf) else leaf
    )


def as_input(leaf: Any) -> Any:
    """An array for a tensor of a backend that is not in use.

    A `tf.data.Dataset` yields such tensors under JAX, where `predict_on_batch`
    takes none.
    """
    if ops.is_tensor(leaf) or not hasattr(leaf, "__array__"):
        return leaf
    return np.asarray(leaf)


def _as_tuple(element):
    # A PyTorch DataLoader yields lists.
    return tuple(element) if isinstance(element, list) else element


def _slices(data: Data, batch_size: int) -> Iterator[Batch]:
    data = lists_as_arrays(data)
    parts = data if isinstance(data, tuple) else (data,)
    sizes = {len(leaf) for leaf in tree.flatten(parts) if leaf is not None}
    if len(sizes) != 1:
        raise ValueError(
            "Arrays of one data set must have the same number of examples. "
            f"Received: {sorted(sizes)}"
        )
    for start in range(0, sizes.pop(), batch_size):
        rows = slice(start, start + batch_size)
        yield keras.utils.unpack_x_y_sample_weight(_take(parts, rows))


def _take(parts: tuple, rows: slice) -> tuple:
    return tree.map_structure(
        lambda leaf: None if leaf is None else leaf[rows], parts
    )


def _to_numpy(value):
    return None if value is None else ops.convert_to_numpy(value)
