"""A stock model, how to convert it, and inputs for both."""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops
from keras import tree

from keras_plex.conversion import forward_pass
from keras_plex.models.plex_model import PlexModel
from keras_plex.plexify import plexify
from keras_plex.types import Config

BATCH = 4
ENSEMBLE_SIZE = 3

# Kind of output -> a loss that means it.
LOSSES: dict[str, Callable[[], keras.losses.Loss]] = {
    "softmax_logits": functools.partial(
        keras.losses.SparseCategoricalCrossentropy, from_logits=True
    ),
    "sigmoid_logits": functools.partial(
        keras.losses.BinaryCrossentropy, from_logits=True
    ),
    "probabilities": keras.losses.SparseCategoricalCrossentropy,
    "regression": keras.losses.MeanSquaredError,
    "log_rates": functools.partial(keras.losses.Poisson),
}


@dataclasses.dataclass(frozen=True)
class FamilyCase:
    """What the contracts of a family are checked on.

    Args:
        stock: the stock model.
        arguments: of `plexify`.
        inputs: one batch.
        tiles_inputs: whether all of it runs once per member.
        fresh_process: whether a process of its own loads the file.
    """

    stock: keras.Model
    arguments: Config
    inputs: Any
    tiles_inputs: bool = False
    fresh_process: bool = True

    @functools.cached_property
    def neutral(self) -> PlexModel:
        """Converted so that each member equals the stock model."""
        return self.convert(fast_weight_stddev=0.0)

    @functools.cached_property
    def spread(self) -> PlexModel:
        """Converted with members that differ, and compiled."""
        model = self.convert(fast_weight_stddev=0.5)
        losses = [LOSSES[kind]() for kind in model.output_kinds]
        model.compile(
            keras.optimizers.SGD(0.01),
            losses if len(losses) > 1 else losses[0],
            # One step: to compile it would take longer than to run it.
            jit_compile=False,
            run_eagerly=keras.config.backend() != "jax",
        )
        return model

    def members(self, model: PlexModel) -> list[np.ndarray]:
        """Each output `(batch, ensemble, ...)`, or `(batch, ...)`."""
        with forward_pass.returning(forward_pass.DETAILS):
            return flat_arrays(model(self.inputs)["outputs"])

    def convert(self, **arguments) -> PlexModel:
        return plexify(
            self.stock,
            ENSEMBLE_SIZE,
            seed=0,
            **{**arguments, **self.arguments},
        )

    def targets(self, model: PlexModel) -> Any:
        """Labels, or numbers, of the shapes of a model's outputs."""
        outputs = model(self.inputs)

        def target(output, kind):
            if kind in ("softmax_logits", "probabilities"):
                # 0, 1, 0, 1, ...: each output has two classes at least.
                labels = np.indices(output.shape[:-1]).sum(0) % 2
                return labels.astype("int32")
            return np.ones(output.shape, "float32")

        flat = tree.flatten(outputs)
        made = [
            target(output, kind)
            for output, kind in zip(flat, model.output_kinds, strict=True)
        ]
        return tree.pack_sequence_as(outputs, made)


def flat_arrays(outputs: Any) -> list[np.ndarray]:
    """The tensors of a structure as float32 arrays."""
    return [
        ops.convert_to_numpy(ops.cast(output, "float32"))
        for output in tree.flatten(outputs)
    ]


def largest_difference(ours: Any, theirs: Any) -> float:
    """The largest absolute difference of two structures of tensors."""
    pairs = zip(flat_arrays(ours), flat_arrays(theirs), strict=True)
    differences = []
    for one, other in pairs:
        assert one.shape == other.shape, f"{one.shape} is not {other.shape}"
        differences.append(float(np.abs(one - other).max()))
    return max(differences)
