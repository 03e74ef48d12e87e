"""The stock model before its conversion: checked, and with a new head."""

import keras

from keras_plex.conversion.copying import copy_model
from keras_plex.conversion.families import find_family
from keras_plex.conversion.heads import find_head
from keras_plex.layers.gp_arguments import is_integer

# Rank of a backbone's output -> what makes one vector per example of it.
POOLING = {
    3: keras.layers.GlobalAveragePooling1D,
    4: keras.layers.GlobalAveragePooling2D,
}


def check_stock_model(model: keras.Model, num_classes: int | None) -> None:
    """Raises unless `model` is a built model that can be converted."""
    if not isinstance(model, keras.Model):
        raise ValueError(
            "`model` must be a `keras.Model`. "
            f"Received: model={model!r} of type {type(model).__name__}"
        )
    is_functional = model.built and getattr(model, "inputs", None)
    if not is_functional or not model.weights:
        raise ValueError(
            f"{model.name!r} is not built: it has no weights to keep or no "
            "known inputs. Build it first: call it on data, or make it with "
            "`keras.Input`; wrap a subclassed model as `keras.Model(inputs, "
            "model(inputs))`."
        )
    if any(tensor.shape[0] is not None for tensor in model.inputs):
        raise ValueError(
            f"{model.name!r} has a fixed batch size, which leaves no room for "
            "members. Make it with `keras.Input(shape)`. Received: "
            f"inputs={[tuple(tensor.shape) for tensor in model.inputs]}"
        )
    if num_classes is None:
        family = find_family(model)
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


def with_new_head(model: keras.Model, num_classes: int) -> keras.Model:
    """A copy of `model` with a new output layer of `num_classes` logits."""
    family = find_family(model)
    if family is not None and family.is_backbone(model):
        return family.with_head(copy_model(model), num_classes)
    copy = copy_model(model)
    head = find_head(copy)
    if family is not None:
        return _task_with_new_head(model, num_classes)
    if len(copy.outputs) != 1:
        raise ValueError(
            "`num_classes` replaces the one output of a model. "
            f"{model.name!r} has {len(copy.outputs)}."
        )
    if isinstance(copy, keras.Sequential) and head is not None:
        if copy.layers[-1] is head.layer:
            copy.pop()
            copy.add(keras.layers.Dense(num_classes, name=head.layer.name))
            return copy
    if head is None:
        x = copy.outputs[0]
        if len(x.shape) in POOLING:
            x = POOLING[len(x.shape)]()(x)
        name = "predictions"
    else:
        x, name = head.layer.input, head.layer.name
    is_sequential = isinstance(copy, keras.Sequential)
    inputs = copy.inputs[0] if is_sequential else copy.input
    outputs = keras.layers.Dense(num_classes, name=name)(x)
    return keras.Model(inputs, outputs, name=copy.name)


def _task_with_new_head(model: keras.Model, num_classes: int) -> keras.Model:
    config = {**model.get_config(), "num_classes": num_classes}
    config["preprocessor"] = None
    task = type(model).from_config(config)
    task.preprocessor = model.preprocessor
    new = task.output_dense.weights
    kept = [w for w in task.weights if all(w is not n for n in new)]
    old = model.output_dense.weights
    values = [w for w in model.weights if all(w is not o for o in old)]
    for weight, value in zip(kept, values, strict=True):
        weight.assign(value)
    return task
