"""A model runs on tensors without values, as its inputs are known to be."""

import itertools
import warnings
from collections.abc import Callable
from typing import Any

import keras
from keras import tree

from keras_plex.types import Tensor

# A prime that no other axis of a model is likely to have.
PROBE_BATCH = 1009

# For axes of any length: short enough for position embeddings, long enough for
# a stack of strided convolutions.
PROBE_LENGTHS = (8, 64, 256)

# A subclassed model does not say the dtypes of its inputs: each input is
# numbers or indices, and for at most so many inputs each mix of them is tried.
MAX_MIXED_INPUTS = 4


def is_graph(model: keras.Model) -> bool:
    """Whether a model knows its inputs and outputs: no subclassed one does."""
    return bool(getattr(model, "inputs", None))


def input_signatures(model: keras.Model) -> list[Any]:
    """What a built model takes: structures of symbolic tensors, best first.

    There are several for a subclassed model, which knows the shapes that it
    was built with, not the dtypes; none if it was not built by data.
    """
    if isinstance(model, keras.Sequential) and is_graph(model):
        return [model.inputs[0]]
    if is_graph(model):
        return [model.input]
    shapes = (model.get_build_config() or {}).get("input_shape")
    flat = [] if shapes is None else _flat_shapes(shapes)
    if not flat or not all(shape and None not in shape[1:] for shape in flat):
        return []
    kinds = (keras.config.floatx(), "int32")
    if len(flat) <= MAX_MIXED_INPUTS:
        mixes = itertools.product(kinds, repeat=len(flat))
    else:
        mixes = ((kind,) * len(flat) for kind in kinds)

    def signature(dtypes: tuple[str, ...]) -> Any:
        left = iter(dtypes)
        return tree.map_shape_structure(
            lambda shape: keras.KerasTensor((None, *shape[1:]), next(left)),
            shapes,
        )

    return [signature(dtypes) for dtypes in mixes]


def _flat_shapes(shapes: Any) -> list[tuple]:
    flat: list[tuple] = []
    tree.map_shape_structure(flat.append, shapes)
    return flat


def run_dry(model: Callable[[Any], Any], inputs: Any) -> Any:
    """What `model` returns for symbolic tensors, as symbolic tensors."""
    # What stock layers warn of here, they warn of in the real pass too.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return _DryRun(model).compute_output_spec(inputs)


def run_dry_as_known(
    model: keras.Model,
    run: Callable[[Any], Any],
    passed_on: tuple[type[Exception], ...] = (),
) -> Any:
    """`run(inputs)` with the first symbolic inputs that it does not fail for.

    Each input has `PROBE_BATCH` rows. JAX and PyTorch cannot slice a weight
    by a length that is not known: where need be, axes of any length get one.

    Args:
        model: a built model.
        run: given the symbolic inputs.
        passed_on: errors to raise at once.
    """
    errors: list[Exception] = []
    for signature in input_signatures(model):
        flat = tree.flatten(signature)
        is_free = any(None in x.shape[1:] for x in flat)
        for length in (None, *PROBE_LENGTHS) if is_free else (None,):
            try:
                return run(with_sizes(signature, length))
            except passed_on:
                raise
            except Exception as error:
                errors.append(error)
    raise errors[0]


def with_sizes(signature: Any, length: int | None) -> Any:
    """The signature with `PROBE_BATCH` rows, and a length for free axes."""

    def symbolic(x: keras.KerasTensor) -> keras.KerasTensor:
        rest = [length if size is None else size for size in x.shape[1:]]
        return keras.KerasTensor((PROBE_BATCH, *rest), dtype=x.dtype)

    return tree.map_structure(symbolic, signature)


class _DryRun(keras.layers.Layer):
    """Calls a function on symbolic tensors of the active backend."""

    def __init__(self, function: Callable[[Tensor], Tensor]):
        super().__init__(autocast=False)
        self._function = [function]  # in a list: not tracked as a sublayer

    def call(self, inputs: Tensor) -> Tensor:
        return self._function[0](inputs)
