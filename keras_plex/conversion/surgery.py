"""The only file that touches Keras's private names.

Objects keep their identity, so that whoever refers to them needs no change.
"""

import contextlib
import functools
import inspect
import threading
from collections.abc import Callable
from collections.abc import Hashable
from collections.abc import Iterator

import keras


def walk_layers(model: keras.Model) -> list[keras.layers.Layer]:
    """Every layer inside `model`, however deep, once each, outer ones first."""
    return list(model._flatten_layers(include_self=False))


def child_layers(layer: keras.layers.Layer) -> list[keras.layers.Layer]:
    """The layers directly inside `layer`."""
    return list(layer._flatten_layers(include_self=False, recursive=False))


def owns_variables(layer: keras.layers.Layer) -> bool:
    """Whether a layer has variables of its own, not only its children's."""
    return bool(layer._trainable_variables or layer._non_trainable_variables)


def learnable_variables(layer: keras.layers.Layer) -> list[keras.Variable]:
    """A layer's own variables that can learn, frozen now or not."""
    return list(layer._trainable_variables)


def producer(
    tensor: keras.KerasTensor,
) -> tuple[keras.Operation | None, list[keras.KerasTensor]]:
    """The operation of a graph that made `tensor`, and what it made it from."""
    history = getattr(tensor, "_keras_history", None)
    if history is None:
        return None, []
    node = history.operation._inbound_nodes[history.node_index]
    return history.operation, node.input_tensors


def number_of_calls(operation: keras.Operation) -> int:
    """How often an operation occurs in the graphs that were made with it."""
    return len(operation._inbound_nodes)


def upgrade_layer(
    layer: keras.layers.Layer, template: keras.layers.Layer, **build_arguments
) -> None:
    """Makes a built stock layer what `template` is, keeping its weights.

    Args:
        layer: changed in place.
        template: an unbuilt layer of the new class, with `own_arguments` and
            `add_own_weights`.
        **build_arguments: of `add_own_weights`.
    """
    with _unlocked(layer):
        layer.__class__ = type(template)
        # Keras bound the stock class's method to the layer when it was made.
        vars(layer).pop("quantize", None)
        for name in template.own_arguments:
            setattr(layer, name, getattr(template, name))
        _see_new_call(layer)
        with layer._open_name_scope():
            layer.add_own_weights(**build_arguments)


def _see_new_call(layer: keras.layers.Layer) -> None:
    # Keras read the signature of the stock class's `call` when it was made.
    layer._call_signature = inspect.signature(layer.call)
    names = list(layer._call_signature.parameters)
    layer.call_signature_parameters = names
    layer._call_has_mask_arg = "mask" in names


def widen_inputs(layer: keras.layers.Layer, input_dim: int) -> None:
    """Makes a built layer take, and say that it takes, inputs of this size."""
    layer.input_spec = keras.InputSpec(min_ndim=2, axes={-1: input_dim})
    if layer._build_shapes_dict is not None:
        layer._build_shapes_dict = {
            name: (*shape[:-1], input_dim)
            for name, shape in layer._build_shapes_dict.items()
        }


def dtype_policy_of(layer: keras.layers.Layer) -> keras.DTypePolicy:
    """The policy of a layer, also where a map holds it by the layer's path."""
    policy = layer.dtype_policy
    is_map = isinstance(policy, keras.dtype_policies.DTypePolicyMap)
    return policy[layer.path] if is_map and layer.path else policy


def fix_dtype_policy(layer: keras.layers.Layer) -> None:
    """Gives a layer its own policy instead of a map of policies by path."""
    layer._dtype_policy = dtype_policy_of(layer)


def check_quantizable(layer: keras.layers.Layer, mode: str) -> None:
    """Raises as the layer's `quantize` would before it changes anything."""
    layer._check_quantize_args(mode, layer.compute_dtype)


def move_kernel(layer: keras.layers.Layer, name: str | None) -> None:
    """Gives a Dense layer's kernel another attribute name, or drops it.

    LoRA weights are merged into it first.
    """
    with _unlocked(layer):
        kernel = layer._kernel
        if layer.lora_enabled:
            kernel.assign(layer.kernel)
            kernel.trainable = True
            _delete_variable(layer, "lora_kernel_a")
            _delete_variable(layer, "lora_kernel_b")
            layer.lora_enabled = False
        _delete_variable(layer, "_kernel")
        if name is not None:
            setattr(layer, name, kernel)


def _delete_variable(layer: keras.layers.Layer, name: str) -> None:
    # Keras's `del` collects garbage each time, a second in a large process.
    layer._untrack_variable(getattr(layer, name))
    super(keras.layers.Layer, layer).__delattr__(name)


def add_mixin(operation: keras.Operation, mixin: type, **attributes) -> None:
    """Puts `mixin` in front of the operation's class.

    The class keeps its name: paths in weight files and summaries stay.
    """
    base = type(operation)
    if (mixin, base) not in _mixed_classes:
        _mixed_classes[mixin, base] = type(
            base.__name__, (mixin, base), {"__module__": base.__module__}
        )
    for name, value in attributes.items():
        object.__setattr__(operation, name, value)
    operation.__class__ = _mixed_classes[mixin, base]


_mixed_classes: dict[tuple[type, type], type] = {}


@contextlib.contextmanager
def with_mixin(operation: keras.Operation, mixin: type) -> Iterator[None]:
    """Within it, `mixin` stands in front of the operation's class."""
    with _mixing:
        stock = type(operation)
        add_mixin(operation, mixin)
        try:
            yield
        finally:
            operation.__class__ = stock


# Two threads that mix and unmix one object would leave it mixed.
_mixing = threading.RLock()


class OptimizerInterception:
    """Mixin for an optimizer: `take_step` and `decays` decide for it.

    Keras steps one variable at a time, on PyTorch also all at once.
    """

    def update_step(self, gradient, variable, learning_rate):
        step = functools.partial(super().update_step, gradient, variable)
        self.take_step(step, [variable], learning_rate)

    def _parallel_update_step(self, grads, variables, learning_rate):
        step = functools.partial(
            super()._parallel_update_step, grads, variables
        )
        self.take_step(step, variables, learning_rate)

    def _apply_weight_decay(self, variables):
        decayed = [variable for variable in variables if self.decays(variable)]
        if decayed:  # PyTorch's cannot do with none.
            super()._apply_weight_decay(decayed)

    def variable_key(self, variable) -> Hashable:
        """The same for a Keras variable and for the backend's inside it."""
        return self._var_key(variable)


def has_decay_exclusions(optimizer: keras.Optimizer) -> bool:
    """Whether someone called `exclude_from_weight_decay`."""
    return hasattr(optimizer, "_exclude_from_weight_decay")


def set_optimizer_class(optimizer: keras.Optimizer, cls: type) -> None:
    """Gives an optimizer another class."""
    optimizer.__class__ = cls


def set_model_class(model: keras.Model, cls: type) -> None:
    """Gives a model another class and drops what was compiled for the old."""
    model.__class__ = cls
    # Keras bound the stock class's method to the model when it was made.
    vars(model).pop("quantize", None)
    model.train_function = None
    model.test_function = None
    model.predict_function = None


def argument_names(operation: keras.Operation) -> list[str]:
    """Names of the positional arguments of the operation's call."""
    signature = getattr(operation, "_call_signature", None)
    signature = signature or inspect.signature(operation.call)
    return [
        parameter.name
        for parameter in signature.parameters.values()
        if parameter.kind
        in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)
    ]


def named_arguments(
    operation: keras.Operation, args: tuple, kwargs: dict
) -> dict:
    """The arguments of a call by their names, in the signature's order."""
    names = argument_names(operation)
    given = {**dict(zip(names, args, strict=False)), **kwargs}
    return {name: given[name] for name in (*names, *given) if name in given}


@contextlib.contextmanager
def intercept_calls(
    change: Callable[[keras.Operation, tuple, dict], tuple[tuple, dict]],
) -> Iterator[None]:
    """Within it, `change` sees and may replace the arguments of every call."""
    layer_call = keras.layers.Layer.__call__
    operation_call = keras.Operation.__call__

    def call_layer(self, *args, **kwargs):
        args, kwargs = change(self, args, kwargs)
        return layer_call(self, *args, **kwargs)

    def call_operation(self, *args, **kwargs):
        # Layer.__call__ ends in Operation.__call__: see each layer once.
        if not isinstance(self, keras.layers.Layer):
            args, kwargs = change(self, args, kwargs)
        return operation_call(self, *args, **kwargs)

    keras.layers.Layer.__call__ = call_layer
    keras.Operation.__call__ = call_operation
    try:
        yield
    finally:
        keras.layers.Layer.__call__ = layer_call
        keras.Operation.__call__ = operation_call


@contextlib.contextmanager
def _unlocked(layer: keras.layers.Layer) -> Iterator[None]:
    layer._tracker.unlock()
    try:
        yield
    finally:
        layer._tracker.lock()
