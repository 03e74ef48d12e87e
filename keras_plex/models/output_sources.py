"""What makes each output of a model, to tell what its numbers mean."""

import dataclasses
from collections.abc import Callable
from typing import Any

import keras
from keras import tree

from keras_plex.conversion.dry_run import is_graph
from keras_plex.conversion.heads import PASSED_OVER
from keras_plex.conversion.heads import Head
from keras_plex.conversion.heads import activation_of
from keras_plex.conversion.surgery import producer
from keras_plex.conversion.traced_heads import Call
from keras_plex.conversion.traced_heads import trace_outputs
from keras_plex.layers.covariance_head import CovarianceHead
from keras_plex.types import Tensor

# Layers whose outputs are linear but for their activation.
LINEAR = (
    keras.layers.Dense,
    keras.layers.EinsumDense,
    keras.layers.Conv1D,
    keras.layers.Conv2D,
    keras.layers.Conv3D,
    keras.layers.Conv1DTranspose,
    keras.layers.Conv2DTranspose,
    keras.layers.Conv3DTranspose,
    CovarianceHead,
)
# Layers and operations of Keras by the names of their classes. These apply an
# activation that tells what the outputs are:
ACTIVATIONS = {
    "Softmax": "softmax",
    "Sigmoid": "sigmoid",
    "LogSoftmax": "log_softmax",
    "LogSigmoid": "log_sigmoid",
}
TELLING = frozenset(["linear", *ACTIVATIONS.values()])
# These leave logits logits and the mean of probabilities a mean, if they have
# one input:
ARITHMETIC = frozenset(
    "Reshape Flatten Permute Squeeze ExpandDims Transpose Swapaxes Moveaxis "
    "GetItem Cast Rescaling Multiply Divide TrueDivide Negative Mean "
    "GlobalAveragePooling1D GlobalAveragePooling2D GlobalAveragePooling3D "
    "UpSampling2D".split()
)
# These also if they have several:
SUMS = frozenset(["Add", "Subtract", "Average"])

# Tensor -> what made it, and from what.
Producer = Callable[[Any], tuple[Any, list[Any]]]


@dataclasses.dataclass(frozen=True)
class Source:
    """The last activation before an output, or the last layer.

    Args:
        activation: its name; `"linear"` for none.
        units: the size of the output's last axis.
        layer: what makes the output, where it is one layer.
    """

    activation: str
    units: int | None
    layer: keras.layers.Layer | None = None


def find_sources(
    model: keras.Model, heads: list[Head | None] | None = None
) -> list[Source | None]:
    """The source of each flat output, `None` where it cannot be told.

    Unlike a head, which can be replaced, a source is seen through arithmetic.

    Args:
        model: one without outputs that are known has one source.
        heads: of its outputs, where they are known.
    """
    if heads and all(heads):
        return [source_of_head(head) for head in heads]
    if is_graph(model):
        found = [_find_source(x, producer) for x in model.outputs]
    else:
        found = _trace_sources(model)
    if not heads or len(heads) != len(found):
        return found
    return [
        source if head is None else source_of_head(head)
        for head, source in zip(heads, found, strict=True)
    ]


def source_of_head(head: Head | None) -> Source | None:
    """What a source is where the output layer is known."""
    if head is None:
        return None
    return Source(head.activation, head.layer.units, head.layer)


def _find_source(output: Tensor, made_by: Producer) -> Source | None:
    operation, inputs = made_by(output)
    if operation is None:
        return None
    units = output.shape[-1] if len(output.shape) > 1 else 1
    activation = _activation(operation)
    if activation != "linear":
        return Source(activation, units)
    if isinstance(operation, LINEAR):
        return Source(activation, units, operation)
    if isinstance(operation, keras.Model):
        return _of_one(find_sources(operation))
    is_alike = isinstance(operation, PASSED_OVER)
    if not is_alike and not _is_arithmetic(operation, len(inputs)):
        return None
    source = _of_one([_find_source(x, made_by) for x in inputs])
    # Arithmetic after a tanh may make logits of it.
    if source is None or not (is_alike or source.activation in TELLING):
        return None
    return dataclasses.replace(source, units=units)


def _activation(operation: keras.Operation) -> str:
    name = type(operation).__name__
    if _is_keras(operation) and name in ACTIVATIONS:
        return ACTIVATIONS[name]
    is_known = isinstance(operation, (*LINEAR, *PASSED_OVER))
    return activation_of(operation) if is_known else "linear"


def _is_keras(operation: keras.Operation) -> bool:
    return type(operation).__module__.partition(".")[0] == "keras"


def _is_arithmetic(operation: keras.Operation, num_inputs: int) -> bool:
    name = type(operation).__name__
    is_one = num_inputs == 1 and name in ARITHMETIC
    return (is_one or name in SUMS) and _is_keras(operation)


def _of_one(sources: list[Source | None]) -> Source | None:
    """What several have in common; `None` for nothing."""
    first, *others = sources
    if not others:
        return first
    if any(x is None or x.activation != first.activation for x in sources):
        return None
    return Source(first.activation, first.units)


def _trace_sources(model: keras.Model) -> list[Source | None]:
    """Those of a model without a graph, from the layers that it calls."""
    found: list[Source | None] = []

    def see(outputs: list[Tensor], calls: list[Call]) -> None:
        def made_by(x: Tensor) -> tuple[Any, list[Tensor]]:
            for call in calls:
                # A layer that gives back what it got made nothing.
                if call.outputs is x and call.inputs is not x:
                    return call.layer, tree.flatten(call.inputs)
            return None, []

        found[:] = [_find_source(x, made_by) for x in outputs]

    try:
        trace_outputs(model, _is_seen, see)
    except ValueError:
        return [None]
    return found


def _is_seen(layer: keras.layers.Layer) -> bool:
    name = type(layer).__name__
    is_known = name in ACTIVATIONS or name in ARITHMETIC or name in SUMS
    return isinstance(layer, (*LINEAR, *PASSED_OVER)) or (
        is_known and _is_keras(layer)
    )
