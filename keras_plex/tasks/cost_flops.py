"""How many floating point operations a forward pass takes, on each backend."""

import contextlib
import logging
import math
from collections.abc import Callable
from collections.abc import Iterator
from typing import Any

import keras
from keras import ops
from keras import tree

from keras_plex.conversion.preprocessors import preprocessor_of
from keras_plex.ops.counted_loops import laid_out


def count_flops(model: keras.Model, x: Any) -> tuple[float | None, str]:
    """The operations of `model(x)`, and what counted them.

    Args:
        model: any built Keras model.
        x: one batch of what `predict` takes.

    Returns:
        Their number and the name of what counted; or `None` and the reason.
    """
    backend = keras.config.backend()
    if backend not in COUNTERS:
        return None, f"no counter for the backend {backend}"
    try:
        with laid_out():
            return COUNTERS[backend](model, _inputs(model, x))
    # Whatever a counter cannot follow, the model still works.
    except Exception as error:
        reason = str(error).partition("\n")[0][:160]
        return None, f"not counted: {type(error).__name__}: {reason}"


def _inputs(model: keras.Model, x: Any) -> Any:
    if preprocessor_of(model) is not None:
        # It takes raw data.
        samples = model.preprocess_samples(x)
        x, _, _ = keras.utils.unpack_x_y_sample_weight(samples)
    return tree.map_structure(ops.convert_to_tensor, x)


def _count_tensorflow(model: keras.Model, x: Any) -> tuple[float | None, str]:
    import tensorflow as tf

    def run(inputs):
        return model(inputs, training=False)

    specs = tf.nest.map_structure(lambda t: tf.TensorSpec(t.shape, t.dtype), x)
    graph = tf.function(run).get_concrete_function(specs).graph
    if any(one.type in LOOPS for one in graph.get_operations()):
        return None, LOOP
    # Nested functions hold operations that the profiler does not see.
    nested = graph.as_graph_def().library.function
    if any(node.op in PRODUCTS for one in nested for node in one.node_def):
        return None, "not counted: the model has nested functions"
    options = tf.compat.v1.profiler.ProfileOptionBuilder.float_operation()
    options["output"] = "none"
    with _quiet(tf.get_logger()):
        found = tf.compat.v1.profiler.profile(
            graph, cmd="scope", options=options
        )
    flops = found.total_float_ops
    for one in graph.get_operations():
        if one.type == "Einsum":
            equation = one.get_attr("equation").decode()
            shapes = [tuple(tensor.shape) for tensor in one.inputs]
            flops += einsum_flops(equation, shapes)
    return float(flops), "TensorFlow profiler"


@contextlib.contextmanager
def _quiet(logger: logging.Logger) -> Iterator[None]:
    """Without the profiler's warning that it calls something deprecated."""
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


LOOP = "not counted: the model has a loop of unknown length"
LOOPS = {"While", "StatelessWhile", "If", "StatelessIf"}
PRODUCTS = {
    "BatchMatMulV2",
    "Conv2D",
    "DepthwiseConv2dNative",
    "Einsum",
    "MatMul",
}


def einsum_flops(equation: str, shapes: list[tuple[int, ...]]) -> int:
    """Twice the product of all axes; for one operand, which is moved, 0.

    Example:

    >>> einsum_flops("bd,de->be", [(2, 3), (3, 5)])
    60
    """
    if len(shapes) < 2:
        return 0
    sizes: dict[Any, int] = {}
    inputs = equation.replace(" ", "").partition("->")[0].split(",")
    for letters, shape in zip(inputs, shapes, strict=True):
        before, dots, after = letters.partition("...")
        rest = len(shape) - len(before) - len(after)
        # Axes of an ellipsis are counted from its end.
        hidden = [-i for i in range(rest, 0, -1)] if dots else []
        names = [*before, *hidden, *after]
        for name, size in zip(names, shape, strict=True):
            sizes[name] = max(sizes.get(name, 1), size)
    return 2 * math.prod(sizes.values())


def _count_jax(model: keras.Model, x: Any) -> tuple[float | None, str]:
    import jax

    def run(trainable, non_trainable, inputs):
        return model.stateless_call(
            trainable, non_trainable, inputs, training=False
        )[0]

    variables = [
        [one.value for one in group]
        for group in (model.trainable_variables, model.non_trainable_variables)
    ]
    lowered = jax.jit(run).lower(*variables, x)
    if "stablehlo.while" in lowered.as_text():
        return None, LOOP
    found: Any = lowered.cost_analysis()
    return float(found["flops"]), "XLA cost analysis"


def _count_torch(model: keras.Model, x: Any) -> tuple[float | None, str]:
    import torch
    from torch.nn.attention import SDPBackend
    from torch.nn.attention import sdpa_kernel
    from torch.utils.flop_counter import FlopCounterMode

    # Of fused attention, the counter does not know every kernel.
    with (
        FlopCounterMode(display=False) as counter,
        sdpa_kernel(SDPBackend.MATH),
        torch.no_grad(),
    ):
        model(x, training=False)
    return float(counter.get_total_flops()), "torch.utils.flop_counter"


Counter = Callable[[keras.Model, Any], tuple[float | None, str]]
COUNTERS: dict[str, Counter] = {
    "tensorflow": _count_tensorflow,
    "jax": _count_jax,
    "torch": _count_torch,
}
