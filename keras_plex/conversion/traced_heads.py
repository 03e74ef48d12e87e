"""The output layers of a model without a graph, from what a dry run calls."""

import contextlib
import threading
from collections.abc import Callable
from collections.abc import Iterator
from typing import Any
from typing import NamedTuple

import keras
from keras import tree

from keras_plex.conversion.dry_run import run_dry
from keras_plex.conversion.dry_run import run_dry_as_known
from keras_plex.conversion.heads import PASSED_OVER
from keras_plex.conversion.heads import Head
from keras_plex.conversion.heads import activation_of
from keras_plex.conversion.surgery import named_arguments
from keras_plex.conversion.surgery import walk_layers
from keras_plex.conversion.surgery import with_mixin
from keras_plex.types import Tensor


class Call(NamedTuple):
    """One call of a layer."""

    layer: keras.layers.Layer
    arguments: dict[str, Any]
    outputs: Tensor

    @property
    def inputs(self) -> Tensor:
        """The first argument."""
        return next(iter(self.arguments.values()))


def trace_heads(model: keras.Model) -> list[Head | None]:
    """The `Dense` that makes each flat output, `None` where there is none.

    As `find_heads`, for a subclassed model: activations and layers without
    weights may follow the `Dense`.
    """
    heads: list[Head | None] = []

    def see(outputs: list[Tensor], calls: list[Call]) -> None:
        heads[:] = [_head_of(x, calls) for x in outputs]

    trace_outputs(model, _is_followed, see)
    return heads


def trace_outputs(
    model: keras.Model,
    is_followed: Callable[[keras.layers.Layer], bool],
    see: Callable[[list[Tensor], list[Call]], None],
) -> None:
    """Shows the flat outputs of a dry run, and the calls that led to them.

    Args:
        model: a subclassed model, built.
        is_followed: whether the calls of a layer are of interest.
        see: given both while the run lasts.
    """
    layers = [layer for layer in walk_layers(model) if is_followed(layer)]

    def traced(inputs: Any) -> Any:
        with recorded_calls(layers) as calls:
            outputs = model(inputs)
        see(tree.flatten(outputs), calls)
        return outputs

    try:
        run_dry_as_known(model, lambda inputs: run_dry(traced, inputs))
    except Exception as error:
        raise ValueError(
            f"Cannot tell what {model.name!r} returns: it does not run on "
            "symbolic tensors of the shapes that it was built with. Wrap it as "
            "`keras.Model(inputs, model(inputs))`. "
            f"It said: {str(error)[:300]}"
        ) from error


def _is_followed(layer: keras.layers.Layer) -> bool:
    is_dense = type(layer) is keras.layers.Dense
    return is_dense or isinstance(layer, PASSED_OVER)


def _head_of(output: Tensor, calls: list[Call]) -> Head | None:
    activation = "linear"
    for call in reversed(calls):
        if call.outputs is not output:
            continue
        if activation == "linear":
            activation = activation_of(call.layer)
        if isinstance(call.layer, keras.layers.Dense):
            return Head(call.layer, activation)
        output = call.inputs
    return None


@contextlib.contextmanager
def recorded_calls(layers: list[keras.layers.Layer]) -> Iterator[list[Call]]:
    """Within it, gives the calls of these layers in this thread."""
    with contextlib.ExitStack() as stack:
        for layer in layers:
            stack.enter_context(with_mixin(layer, RecordsCall))
        yield stack.enter_context(_recording())


class RecordsCall:
    """Mixin in front of a layer: notes its inputs and outputs."""

    def __call__(self, *args, **kwargs):
        outputs = super().__call__(*args, **kwargs)
        calls = getattr(_current, "calls", None)
        if calls is not None:
            named = named_arguments(self, args, kwargs)
            calls.append(Call(self, named, outputs))
        return outputs


# One pass is traced in one thread: other threads' calls are not recorded.
_current = threading.local()


@contextlib.contextmanager
def _recording() -> Iterator[list[Call]]:
    outer = getattr(_current, "calls", None)
    _current.calls = []
    try:
        yield _current.calls
    finally:
        _current.calls = outer
