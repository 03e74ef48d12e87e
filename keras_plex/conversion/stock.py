"""The stock model before its conversion: checked, and with a new head."""

import inspect

import keras

from keras_plex.checks import is_integer
from keras_plex.conversion.copying import copy_model
from keras_plex.conversion.dry_run import input_signatures
from keras_plex.conversion.dry_run import is_graph
from keras_plex.conversion.families import find_family
from keras_plex.conversion.heads import find_head
from keras_plex.conversion.quantization import take_over
from keras_plex.conversion.surgery import dtype_policy_of
from keras_plex.conversion.surgery import number_of_calls
from keras_plex.conversion.surgery import producer
from keras_plex.conversion.surgery import walk_layers
from keras_plex.conversion.tiling import MixedExamplesError
from keras_plex.conversion.trainable_flags import flags_of
from keras_plex.conversion.trainable_flags import set_flags

# Rank of a backbone's output -> what makes one vector per example of it.
POOLING = {
    3: keras.layers.GlobalAveragePooling1D,
    4: keras.layers.GlobalAveragePooling2D,
}


def check_stock_model(model: keras.Model, num_classes: int | None) -> None:
    """Raises unless `model` is a built model that can be converted."""
    check_signature(model)
    check_batch_size(model)
    family = find_family(model)
    if family is not None and family.refusal:
        raise MixedExamplesError(f"{model.name!r} {family.refusal}")
    if num_classes is None:
        if family is not None and family.is_backbone(model):
            raise ValueError(
                f"{model.name!r} is a backbone without an output layer. Pass "
                "`num_classes=` to give it one. Received: num_classes=None"
            )
    elif not is_integer(num_classes) or num_classes < 1:
        raise ValueError(
            "`num_classes` must be a positive integer. "
            f"Received: num_classes={num_classes!r}"
        )


def check_signature(model: keras.Model) -> None:
    """Raises unless `model` is a Keras model whose inputs can be told."""
    if isinstance(model, keras.Model) and not is_graph(model):
        if model.built and model.weights and input_signatures(model):
            return
    check_built(model)


def check_built(model: keras.Model) -> None:
    """Raises unless `model` is a Keras model with weights and known inputs."""
    if not isinstance(model, keras.Model):
        raise ValueError(
            "`model` must be a `keras.Model`. "
            f"Received: model={model!r} of type {type(model).__name__}"
        )
    if not model.built or not is_graph(model) or not model.weights:
        raise ValueError(
            f"{model.name!r} is not built: it has no weights to keep or no "
            "known inputs. Build it first: call it on data, or make it with "
            "`keras.Input`; wrap a subclassed model as `keras.Model(inputs, "
            "model(inputs))`."
        )


def check_room_for_members(model: keras.Model) -> None:
    """Raises if all rows of a built model cannot be made members'."""
    quantized = [
        layer.path
        for layer in walk_layers(model)
        if getattr(layer, "quantization_mode", None) is not None
    ]
    if quantized:
        raise ValueError(
            f"{len(quantized)} layers of {model.name!r} are quantized, such as "
            f"{quantized[0]!r}. Convert first, quantize after."
        )
    check_batch_size(model)


def check_batch_size(model: keras.Model) -> None:
    """Raises if the batches of a model have one size only."""
    inputs = getattr(model, "inputs", None) or []
    is_fixed = any(tensor.shape[0] is not None for tensor in inputs)
    # A Sequential model built by data is copied with a free batch size.
    if is_fixed and not _is_built_by_data(model):
        raise ValueError(
            f"{model.name!r} has a fixed batch size, which leaves no room for "
            "members. Make it with `keras.Input(shape)`. Received: "
            f"inputs={[tuple(tensor.shape) for tensor in inputs]}"
        )


def _is_built_by_data(model: keras.Model) -> bool:
    is_sequential = isinstance(model, keras.Sequential)
    return is_sequential and "build_input_shape" in model.get_config()


def with_new_head(model: keras.Model, num_classes: int) -> keras.Model:
    """A copy of `model` with a new output layer of `num_classes` logits."""
    if not is_graph(model):
        raise ValueError(
            f"`num_classes` cannot replace the output layer of {model.name!r}: "
            "only the code of a subclassed model knows what follows it. Give "
            "the model an output layer of that size yourself. "
            f"Received: num_classes={num_classes}"
        )
    family = find_family(model)
    put_head = None if family is None else family.with_head
    if put_head is not None and family.is_backbone(model):
        return put_head(copy_model(model), num_classes)
    copy = copy_model(model)
    head = find_head(copy)
    if family is not None:
        return _task_with_new_head(copy, num_classes)
    if len(copy.outputs) != 1:
        raise ValueError(
            "`num_classes` replaces the one output of a model, and "
            f"{model.name!r} has {len(copy.outputs)}. Convert it with "
            '`head="keep"`, or convert `keras.Model(model.inputs, output)`, '
            "with one of them."
        )
    if isinstance(copy, keras.Sequential) and head is not None:
        if copy.layers[-1] is head.layer:
            copy.pop()
            # What is added learns; what was frozen stays so.
            set_flags(copy, {**flags_of(copy), "model": True})
            copy.add(_like(head.layer, num_classes))
            return copy
    if head is None:
        x = copy.outputs[0]
        dtype = _floating_policy(producer(x)[0])
        if len(x.shape) in POOLING:
            x = POOLING[len(x.shape)](dtype=dtype)(x)
        layer = keras.layers.Dense(num_classes, dtype=dtype, name="predictions")
    elif head.layer not in copy.layers or number_of_calls(head.layer) > 1:
        raise ValueError(
            f"`num_classes` cannot replace the output layer of {model.name!r}: "
            f"{head.layer.path!r} lies in an inner model or is called more "
            "than once. Put a new `Dense` on the model yourself."
        )
    else:
        x, layer = head.layer.input, _like(head.layer, num_classes)
    is_sequential = isinstance(copy, keras.Sequential)
    inputs = copy.inputs[0] if is_sequential else copy.input
    new = keras.Model(inputs, layer(x), name=copy.name)
    _check_class_is_kept(copy, new, num_classes)
    return new


def _like(head: keras.layers.Dense, num_classes: int) -> keras.layers.Dense:
    return keras.layers.Dense(
        num_classes,
        use_bias=head.use_bias,
        kernel_regularizer=head.kernel_regularizer,
        bias_regularizer=head.bias_regularizer,
        kernel_constraint=head.kernel_constraint,
        bias_constraint=head.bias_constraint,
        dtype=_floating_policy(head),
        name=head.name,
    )


def _check_class_is_kept(
    model: keras.Model, new: keras.Model, num_classes: int
) -> None:
    if type(model) in (type(new), keras.Sequential):
        return
    raise ValueError(
        f"`num_classes` cannot replace the output layer of {model.name!r}: the "
        f"methods of its class {type(model).__name__!r} would be lost. Give "
        "the model an output layer of that size yourself, or pass "
        "`keras.Model(model.input, model.output)` if it needs no method of its "
        f"class. Received: num_classes={num_classes}"
    )


def _floating_policy(
    operation: keras.Operation | None,
) -> keras.DTypePolicy | str | None:
    """The policy of a layer, before it was quantized; `None` without one."""
    if not isinstance(operation, keras.layers.Layer):
        return None
    policy = dtype_policy_of(operation)
    if policy.quantization_mode is None:
        return policy
    # A new layer has nothing to quantize yet.
    is_mixed = policy.compute_dtype != policy.variable_dtype
    return f"mixed_{policy.compute_dtype}" if is_mixed else policy.compute_dtype


def _task_with_new_head(copy: keras.Model, num_classes: int) -> keras.Model:
    # Around the backbone that the copy has already, with all its flags.
    config = copy.get_config()
    if "num_classes" not in config or not hasattr(copy, "output_dense"):
        raise ValueError(
            f"`num_classes` gives a classifier a new output layer, and "
            f"{copy.name!r} is a {type(copy).__name__}. Pass its `backbone`, "
            f"or leave `num_classes` out. Received: num_classes={num_classes}"
        )
    config.update(
        backbone=copy.backbone,
        preprocessor=copy.preprocessor,
        num_classes=num_classes,
    )
    config.pop("label_token_ids", None)  # those of the old classes
    if "activation" in config:
        config["activation"] = None
    if "head_dtype" in inspect.signature(type(copy)).parameters:
        config["head_dtype"] = _floating_policy(copy.output_dense)
    task = type(copy)(**config)
    for old in copy.layers:
        if old is copy.backbone or old is copy.output_dense or not old.weights:
            continue
        new = task.get_layer(old.name)
        take_over(new, old)
        new.trainable = old.trainable
    return task
