"""What a model says that was exported as its backend can."""

import pathlib
import tempfile
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops
from keras import tree

from keras_plex.export.saved_model import call_saved_model
from keras_plex.tables import lookup


def call_exported(model: keras.Model, inputs: Any) -> list[np.ndarray]:
    """Exports a model through Keras, and calls what was written.

    Args:
        model: a built model.
        inputs: one batch.

    Returns:
        The flat outputs, float32.
    """
    backend = keras.config.backend()
    export_and_call = lookup(EXPORTS, backend, "backend that can export")
    with tempfile.TemporaryDirectory() as folder:
        outputs = export_and_call(model, pathlib.Path(folder), inputs)
    return [
        ops.convert_to_numpy(ops.cast(output, "float32"))
        for output in tree.flatten(outputs)
    ]


def _saved_model(
    model: keras.Model, folder: pathlib.Path, inputs: Any, **options
) -> Any:
    folder = folder / "model"
    model.export(folder, format="tf_saved_model", verbose=False, **options)
    return call_saved_model(folder, inputs)


def _saved_model_of_lengths(
    model: keras.Model, folder: pathlib.Path, inputs: Any
) -> Any:
    # JAX cannot compare an unknown length with that of a position embedding.
    signature = [_specification(inputs, free_batch=True)]
    return _saved_model(model, folder, inputs, input_signature=signature)


def _torch_program(
    model: keras.Model, folder: pathlib.Path, inputs: Any
) -> Any:
    import torch

    path = folder / "model.pt2"
    # Keras writes a program for one size of batch.
    signature = [_specification(inputs, free_batch=False)]
    model.export(path, format="torch", verbose=False, input_signature=signature)
    return torch.export.load(path).module()(inputs)


def _specification(inputs: Any, free_batch: bool) -> Any:
    def of(x) -> keras.InputSpec:
        batch, *rest = x.shape
        dtype = keras.backend.standardize_dtype(x.dtype)
        return keras.InputSpec(dtype, (None if free_batch else batch, *rest))

    return tree.map_structure(of, inputs)


# Backend -> how its models are exported, and what was written is called.
EXPORTS: dict[str, Callable[[keras.Model, pathlib.Path, Any], Any]] = {
    "tensorflow": _saved_model,
    "jax": _saved_model_of_lengths,
    "torch": _torch_program,
}
