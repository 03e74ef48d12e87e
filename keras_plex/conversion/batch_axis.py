"""Operations of a graph that compute one example from the others."""

from typing import Any

import keras
from keras import tree

from keras_plex.types import Tensor

# Those that compute along an axis and keep it, by the names of Keras's private
# classes. Without an axis they run over all of them.
KEEP_THEIR_AXIS = frozenset(
    {
        "Argsort",
        "Cumprod",
        "Cumsum",
        "Flip",
        "LogSoftmax",
        "Nancumprod",
        "Nancumsum",
        "Normalize",
        "Roll",
        "Softmax",
        "Sort",
        "Sparsemax",
    }
)

# Any length serves for an axis whose length is not known.
LENGTH = 8


def mixes_examples(
    operation: keras.Operation, args: tuple, kwargs: dict, rows: int
) -> bool:
    """Whether an operation runs along the batch axis, or removes it.

    Layers are not judged: a table of positions has no batch axis either, and
    what a layer computes inside is not seen.

    Args:
        operation: of a graph.
        args: what it is called with.
        kwargs: likewise.
        rows: of the tensors that have a batch axis: these, or a multiple.
    """
    if isinstance(operation, keras.layers.Layer):
        return False
    args, kwargs = tree.map_structure(_as_symbolic, (args, kwargs))
    try:
        outputs = operation.compute_output_spec(*args, **kwargs)
    except Exception:
        return False  # A guess of `LENGTH` that does not fit.
    sizes = [size for x in tree.flatten(outputs) for size in x.shape]
    if not any(size % rows == 0 for size in sizes if size):
        return True
    return _runs_along_first_axis(operation, args)


def _as_symbolic(x: Tensor | Any) -> Any:
    if not keras.ops.is_tensor(x):
        return x
    shape = [LENGTH if size is None else size for size in x.shape]
    dtype = keras.backend.standardize_dtype(x.dtype)
    return keras.KerasTensor(shape, dtype=dtype)


def _runs_along_first_axis(operation: keras.Operation, args: tuple) -> bool:
    if type(operation).__name__ not in KEEP_THEIR_AXIS:
        return False
    axes = tree.flatten(operation.axis)
    return any(axis in (None, 0, -len(args[0].shape)) for axis in axes)
