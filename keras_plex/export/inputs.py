"""What a request holds, and how it becomes what a network takes."""

import dataclasses
from collections.abc import Callable
from typing import Any

import keras
from keras import tree

from keras_plex.types import Tensor

# What the only input is called.
INPUT = "inputs"


@dataclasses.dataclass(frozen=True)
class ServingInputs:
    """The inputs of each signature.

    Args:
        specs: by name, with a batch axis of any size.
        to_model: from tensors by name to what the model is called with.
        preprocessor: of the KerasHub task, if it is applied on the way.
    """

    specs: dict[str, keras.InputSpec]
    to_model: Callable[[dict[str, Tensor]], Any]
    preprocessor: Any = None


def array_inputs(model: keras.Model) -> ServingInputs:
    """Batches of numbers, as the network takes them."""
    is_sequential = isinstance(model, keras.Sequential)
    structure = model.inputs[0] if is_sequential else model.input
    names = _names(structure)
    specs = {}

    def add_spec(name: str, x: Tensor) -> None:
        shape = (None, *x.shape[1:])
        specs[name] = keras.InputSpec(shape=shape, dtype=x.dtype, name=name)

    tree.map_structure(add_spec, names, structure)
    return ServingInputs(
        specs, lambda named: tree.map_structure(named.__getitem__, names)
    )


def one_string() -> dict[str, keras.InputSpec]:
    """The specification of one string, or file, for each example."""
    spec = keras.InputSpec(shape=(None,), dtype="string", name=INPUT)
    return {INPUT: spec}


def _names(structure: Any) -> Any:
    """The structure, with a name in the place of each tensor."""
    if not tree.is_nested(structure):
        return INPUT
    is_dict = isinstance(structure, dict)
    parts = list(structure.values()) if is_dict else list(structure)
    if any(tree.is_nested(part) for part in parts):
        raise ValueError(
            "The model's inputs must be one tensor, or a list or a dict of "
            f"tensors. Received: inputs={structure}"
        )
    if is_dict:
        return {name: name for name in structure}
    names = [INPUT] if len(parts) == 1 else [part.name for part in parts]
    return tuple(names) if isinstance(structure, tuple) else names
