"""A faithful copy of a model, so that the one passed in stays as it is."""

import warnings

import keras

from keras_plex.conversion.surgery import owns_variables
from keras_plex.conversion.surgery import walk_layers
from keras_plex.types import Config


def copy_model(model: keras.Model, **config_changes) -> keras.Model:
    """A new model with the same weights, flags and preprocessor, uncompiled.

    Args:
        model: a built model that can be made from its `get_config`.
        **config_changes: entries of the configuration to replace.
    """
    copy = _from_config(model, config_changes)
    if getattr(model, "preprocessor", None) is not None:
        # Its vocabularies are assets, not configuration: share the object.
        copy.preprocessor = model.preprocessor
    if len(copy.weights) != len(model.weights):
        build_config = model.get_build_config()
        if build_config:
            copy.build_from_config(build_config)
    _copy_state(model, copy)
    return copy


def copy_compilation(model: keras.Model, copy: keras.Model) -> None:
    """Compiles the copy as the model is, with a fresh optimizer."""
    if not getattr(model, "compiled", False):
        return
    try:
        copy.compile_from_config(model.get_compile_config())
    except Exception as error:
        warnings.warn(
            f"Could not copy how {model.name!r} was compiled: "
            f"{str(error)[:200]}. Call `compile` again.",
            stacklevel=4,
        )


def _from_config(model: keras.Model, config_changes: Config) -> keras.Model:
    classes = {
        type(layer).__name__: type(layer) for layer in walk_layers(model)
    }
    try:
        config = {**model.get_config(), **config_changes}
        if "preprocessor" in config:
            config["preprocessor"] = None
        with keras.saving.custom_object_scope(classes):
            return type(model).from_config(config)
    except Exception as error:
        raise ValueError(
            f"Cannot copy {model.name!r}: {type(model).__name__}.from_config("
            "get_config()) must give a model like it. Implement `get_config`, "
            "or wrap the model as `keras.Model(model.inputs, model.outputs)`. "
            f"It said: {str(error)[:300]}"
        ) from error


def _copy_state(model: keras.Model, copy: keras.Model) -> None:
    ours = [layer for layer in walk_layers(model) if owns_variables(layer)]
    theirs = [layer for layer in walk_layers(copy) if owns_variables(layer)]
    for old, new in zip(ours, theirs, strict=True):
        if getattr(old, "lora_enabled", False) and not new.lora_enabled:
            new.enable_lora(old.lora_rank, lora_alpha=old.lora_alpha)
    shapes = [tuple(weight.shape) for weight in model.weights]
    if shapes != [tuple(weight.shape) for weight in copy.weights]:
        raise ValueError(
            f"Cannot copy {model.name!r}: made again from its configuration it "
            f"has other weights ({len(copy.weights)} instead of "
            f"{len(shapes)}, or other shapes)."
        )
    copy.set_weights(model.get_weights())
    for old, new in zip(ours, theirs, strict=True):
        new.trainable = old.trainable
    for old, new in zip(model.weights, copy.weights, strict=True):
        if new.trainable != old.trainable:
            new.trainable = old.trainable
