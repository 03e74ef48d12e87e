"""Where `batch` rows become `ensemble * batch` rows, found by a dry run."""

import dataclasses
import warnings
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops
from keras import tree

from keras_plex.conversion import forward_pass
from keras_plex.conversion.batch_axis import mixes_examples
from keras_plex.conversion.dry_run import PROBE_BATCH
from keras_plex.conversion.dry_run import run_dry
from keras_plex.conversion.dry_run import run_dry_as_known
from keras_plex.conversion.surgery import add_mixin
from keras_plex.conversion.surgery import argument_names
from keras_plex.conversion.surgery import intercept_calls
from keras_plex.ops.masks import tile_with_mask
from keras_plex.types import Tensor

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
    model: keras.Model,
    ensemble_size: int,
    blocks: list[keras.layers.Layer],
    outputs: int = 1,
) -> Layout:
    """Makes the blocks (or operations that meet both kinds of rows) tile.

    Args:
        model: converted in place already; changed in place.
        ensemble_size: positive int.
        blocks: those that hold converted layers.
        outputs: how many tensors the model returns. Defaults to `1`.
    """
    if ensemble_size == 1:
        return Layout(False, (True,) * outputs)
    try:
        plans, rows = run_dry_as_known(
            model,
            lambda inputs: probe(model, ensemble_size, blocks, inputs),
            passed_on=(MixedExamplesError,),
        )
    except MixedExamplesError:
        raise
    except Exception as error:
        _check_tiled_inputs(model, ensemble_size)
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


def _check_tiled_inputs(model: keras.Model, ensemble_size: int) -> None:
    """Raises if members mix in a model that is tiled at its inputs."""

    def tiled(x: keras.KerasTensor) -> keras.KerasTensor:
        return keras.KerasTensor(
            (ensemble_size * x.shape[0], *x.shape[1:]), dtype=x.dtype
        )

    try:
        run_dry_as_known(
            model,
            lambda inputs: probe(
                model, ensemble_size, [], tree.map_structure(tiled, inputs)
            ),
            passed_on=(MixedExamplesError,),
        )
    except MixedExamplesError:
        raise
    except Exception:
        return  # No dry run: nothing is known.


def probe(
    model: keras.Model,
    ensemble_size: int,
    blocks: list[keras.layers.Layer],
    inputs: Any,
) -> Probed:
    """Runs the model symbolically and notes which arguments need tiling.

    Args:
        model: as in `tile_where_needed`.
        ensemble_size: positive int.
        blocks: those that hold converted layers.
        inputs: symbolic tensors of `PROBE_BATCH` rows.

    Returns:
        The operations with the names of the arguments to tile, and the number
        of rows of each flat output.
    """
    calls = _Calls(ensemble_size, blocks)
    try:
        with (
            intercept_calls(calls.change),
            forward_pass.returning(forward_pass.MEMBERS),
            forward_pass.model_pass(class_token_only=False),
        ):
            outputs = tree.flatten(run_dry(model, inputs))
    except Exception:
        # Keras wraps what is raised inside: say it plainly.
        if calls.mixed is not None:
            raise _mixed_examples(model, calls.mixed) from None
        if calls.shared is not None:
            raise _shared_block(calls.shared) from None
        raise
    for output in outputs:
        if calls.either & set(output.shape[1:]):
            raise _mixed_examples(model, _has_shape(output))
    needed = [plan for plan in calls.plans.values() if plan[1]]
    return needed, [output.shape[0] for output in outputs]


class _Calls:
    """What a dry run notes of each call while it tiles.

    Args:
        ensemble_size: positive int.
        blocks: those that hold converted layers.
    """

    def __init__(self, ensemble_size: int, blocks: list[keras.layers.Layer]):
        self.ensemble_size = ensemble_size
        self.is_block = {id(block) for block in blocks}
        self.few, self.many = PROBE_BATCH, ensemble_size * PROBE_BATCH
        self.either = {self.few, self.many}
        self.plans: dict[int, tuple[keras.Operation, frozenset[str]]] = {}
        # What is wrong with the model, if anything: how it mixes examples, or
        # an operation whose calls differ.
        self.mixed: str | None = None
        self.shared: keras.Operation | None = None

    def change(
        self, operation: keras.Operation, args: tuple, kwargs: dict
    ) -> tuple[tuple, dict]:
        rows = self._rows(operation, args, kwargs)
        meets_both = self.either <= set(rows.values())
        if id(operation) not in self.is_block and not meets_both:
            self._check_examples_stay_apart(operation, args, kwargs, rows)
            return args, kwargs
        if rows and not self.either & set(rows.values()):
            raise NotImplementedError(
                f"{operation.name!r} gets rows that are no examples: "
                f"{sorted(set(rows.values()))}."
            )
        plan = frozenset(name for name, row in rows.items() if row == self.few)
        known = self.plans.setdefault(id(operation), (operation, plan))[1]
        if known != plan:
            self.shared = operation
            raise NotImplementedError

        def tile(name: str, x: Tensor) -> Tensor:
            return tile_with_mask(x, self.ensemble_size) if name in plan else x

        args, kwargs = map_tensors(operation, args, kwargs, tile)
        self._check_examples_stay_apart(operation, args, kwargs, rows)
        return args, kwargs

    def _check_examples_stay_apart(
        self,
        operation: keras.Operation,
        args: tuple,
        kwargs: dict,
        rows: dict[str, int],
    ) -> None:
        # Windows of an image are rows too.
        has_members = any(row and row % self.many == 0 for row in rows.values())
        if has_members and mixes_examples(operation, args, kwargs, self.many):
            self.mixed = f"{operation.name!r} runs along the batch axis"
            raise MixedExamplesError

    def _rows(
        self, operation: keras.Operation, args: tuple, kwargs: dict
    ) -> dict[str, int]:
        """How many rows each tensor of a call has, by the argument's name."""
        rows: dict[str, int] = {}

        def note(name: str, x: Tensor) -> Tensor:
            if self.either & set(x.shape[1:]):
                self.mixed = _has_shape(x)
                raise MixedExamplesError
            rows[name] = x.shape[0]
            return x

        map_tensors(operation, args, kwargs, note)
        return rows


def _shared_block(operation: keras.Operation) -> NotImplementedError:
    return NotImplementedError(
        f"{operation.name!r} is called more than once, as a block that all "
        "depths share: its members need every call."
    )


def _has_shape(x: Tensor) -> str:
    return f"a tensor has shape {tuple(x.shape)} for {PROBE_BATCH} examples"


def _mixed_examples(model: keras.Model, how: str) -> MixedExamplesError:
    return MixedExamplesError(
        f"{model.name!r} compares the examples of a batch with each other "
        f"({how}), so members cannot be told apart. Convert the part of it "
        "that treats each example alone."
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
