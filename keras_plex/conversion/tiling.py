"""Where `batch` rows become `ensemble * batch` rows, found by a dry run."""

import dataclasses
import warnings
from collections.abc import Callable

import keras
import numpy as np
from keras import ops
from keras import tree

from keras_plex.conversion import forward_pass
from keras_plex.conversion.surgery import add_mixin
from keras_plex.conversion.surgery import argument_names
from keras_plex.conversion.surgery import intercept_calls
from keras_plex.conversion.surgery import tile_with_mask
from keras_plex.types import Tensor

# A prime that no other axis of a model is likely to have.
PROBE_BATCH = 1009

# For axes of any length: short enough for position embeddings, long enough for
# a stack of strided convolutions.
PROBE_LENGTHS = (8, 64, 256)

# Operations with the names of their arguments, and rows of outputs.
Probed = tuple[list[tuple[keras.Operation, frozenset[str]]], list[int]]


@dataclasses.dataclass(frozen=True)
class Layout:
    """Where members are.

    Args:
        tiled_inputs: whether the model's own inputs are tiled, the costly
            fallback; else its blocks tile what reaches them.
        member_outputs: for each flat output whether its rows are members'.
    """

    tiled_inputs: bool
    member_outputs: tuple[bool, ...]


class TilesArguments:
    """Mixin in front of the first layers whose rows are the members'.

    `tile_plan` names the arguments that arrive with one row per example.
    """

    def __call__(self, *args, **kwargs):
        if forward_pass.is_stock():
            return super().__call__(*args, **kwargs)

        def tile(name: str, x: Tensor) -> Tensor:
            if name not in self.tile_plan:
                return x
            return tile_with_mask(x, self.tile_ensemble_size)

        args, kwargs = map_tensors(self, args, kwargs, tile)
        return super().__call__(*args, **kwargs)


def tile_where_needed(
    model: keras.Model, ensemble_size: int, blocks: list[keras.layers.Layer]
) -> Layout:
    """Makes the blocks (or operations that meet both kinds of rows) tile.

    Args:
        model: converted in place already; changed in place.
        ensemble_size: positive int.
        blocks: those that hold converted layers.
    """
    outputs = len(tree.flatten(model.outputs))
    if ensemble_size == 1:
        return Layout(False, (True,) * outputs)
    try:
        plans, rows = probe_with_lengths(model, ensemble_size, blocks)
    except MixedExamplesError:
        raise
    except Exception as error:
        warnings.warn(
            f"Cannot tell where the rows of {model.name!r} meet its members, "
            "so all of it runs once per member. The dry run said: "
            f"{str(error)[:2000]}",
            stacklevel=5,
        )
        return Layout(True, (True,) * outputs)
    for operation, plan in plans:
        add_mixin(
            operation,
            TilesArguments,
            tile_plan=plan,
            tile_ensemble_size=ensemble_size,
        )
    member_rows = ensemble_size * PROBE_BATCH
    return Layout(False, tuple(row == member_rows for row in rows))


class MixedExamplesError(ValueError):
    """The model computes one example from another: members would mix too."""


def probe_with_lengths(
    model: keras.Model, ensemble_size: int, blocks: list[keras.layers.Layer]
) -> Probed:
    """`probe`, where need be with a number for axes of any length.

    JAX and PyTorch cannot slice a weight by a length that is not known.
    """
    is_free = any(None in x.shape[1:] for x in model.inputs)
    errors = []
    for length in (None, *PROBE_LENGTHS) if is_free else (None,):
        try:
            return probe(model, ensemble_size, blocks, length)
        except MixedExamplesError:
            raise
        except Exception as error:
            errors.append(error)
    raise errors[0]


def probe(
    model: keras.Model,
    ensemble_size: int,
    blocks: list[keras.layers.Layer],
    length: int | None = None,
) -> Probed:
    """Runs the model symbolically and notes which arguments need tiling.

    Args:
        model: as in `tile_where_needed`.
        ensemble_size: positive int.
        blocks: those that hold converted layers.
        length: that of input axes which may have any.

    Returns:
        The operations with the names of the arguments to tile, and the number
        of rows of each flat output.
    """
    is_block = {id(block) for block in blocks}
    few, many = PROBE_BATCH, ensemble_size * PROBE_BATCH
    plans: dict[int, tuple[keras.Operation, frozenset[str]]] = {}
    mixed: list[tuple] = []
    shared: list[str] = []

    def change(operation, args, kwargs):
        rows: dict[str, int] = {}

        def note(name: str, x: Tensor) -> Tensor:
            if {few, many} & set(x.shape[1:]):
                mixed.append(tuple(x.shape))
                raise MixedExamplesError
            rows[name] = x.shape[0]
            return x

        map_tensors(operation, args, kwargs, note)
        meets_both = {few, many} <= set(rows.values())
        if id(operation) not in is_block and not meets_both:
            return args, kwargs
        plan = frozenset(name for name, row in rows.items() if row == few)
        known = plans.setdefault(id(operation), (operation, plan))[1]
        if known != plan:
            shared.append(operation.name)
            raise NotImplementedError

        def tile(name: str, x: Tensor) -> Tensor:
            return tile_with_mask(x, ensemble_size) if name in plan else x

        return map_tensors(operation, args, kwargs, tile)

    try:
        with intercept_calls(change):
            outputs = _run_dry(model, length)
    except Exception as error:
        # Keras wraps what is raised inside: say it plainly.
        raise _said_plainly(error, model, mixed, shared) from None
    for output in outputs:
        if {few, many} & set(output.shape[1:]):
            raise _mixed_examples(model, tuple(output.shape))
    needed = [plan for plan in plans.values() if plan[1]]
    return needed, [output.shape[0] for output in outputs]


def _run_dry(model: keras.Model, length: int | None) -> list[keras.KerasTensor]:
    inputs = _symbolic_inputs(model, length)
    with forward_pass.returning(forward_pass.MEMBERS):
        return tree.flatten(_DryRun(model).compute_output_spec(inputs))


class _DryRun(keras.layers.Layer):
    """Calls a function on symbolic tensors of the active backend."""

    def __init__(self, function: Callable):
        super().__init__(autocast=False)
        self._function = [function]  # in a list: not tracked as a sublayer

    def call(self, inputs):
        return self._function[0](inputs)


def _symbolic_inputs(model: keras.Model, length: int | None):
    def symbolic(x):
        rest = [length if size is None else size for size in x.shape[1:]]
        return keras.KerasTensor((PROBE_BATCH, *rest), dtype=x.dtype)

    if isinstance(model, keras.Sequential):
        return symbolic(model.inputs[0])
    return tree.map_structure(symbolic, model.input)


def _said_plainly(
    error: Exception, model: keras.Model, mixed: list[tuple], shared: list[str]
) -> Exception:
    if mixed:
        return _mixed_examples(model, mixed[0])
    if shared:
        return NotImplementedError(
            f"{shared[0]!r} is called more than once, as a block that all "
            "depths share: its members need every call."
        )
    return error


def _mixed_examples(model: keras.Model, shape: tuple) -> MixedExamplesError:
    return MixedExamplesError(
        f"{model.name!r} compares the examples of a batch with each other (a "
        f"tensor has shape {shape} for {PROBE_BATCH} examples), so members "
        "cannot be told apart. Convert the part of it that treats each "
        "example alone."
    )


def map_tensors(
    operation: keras.Operation,
    args: tuple,
    kwargs: dict,
    function: Callable[[str, Tensor], Tensor],
) -> tuple[tuple, dict]:
    """Maps `function(name, tensor)` over the tensors of a call."""
    names = argument_names(operation)

    def mapped(name: str, value):
        if not tree.is_nested(value):
            return function(name, value) if is_batched(value) else value
        flat = tree.flatten(value)
        leaves = [
            function(f"{name}/{i}", leaf) if is_batched(leaf) else leaf
            for i, leaf in enumerate(flat)
        ]
        return tree.pack_sequence_as(value, leaves)

    args = tuple(
        mapped(names[i] if i < len(names) else f"argument_{i}", value)
        for i, value in enumerate(args)
    )
    return args, {name: mapped(name, kwargs[name]) for name in kwargs}


def is_batched(x) -> bool:
    """Whether `x` is a tensor or array with a first axis."""
    if isinstance(x, keras.KerasTensor):
        return False
    # PyTorch's `generate` hands NumPy arrays to the layers.
    is_array = isinstance(x, np.ndarray) or ops.is_tensor(x)
    return is_array and len(x.shape) > 0
