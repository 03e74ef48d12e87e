"""A faithful copy of a model, so that the one passed in stays as it is."""

import copy as copying
import inspect
import warnings

import keras

from keras_plex.conversion.functional_view import reloadable
from keras_plex.conversion.functional_view import unbuilt_layers_allowed
from keras_plex.conversion.preprocessors import preprocessor_of
from keras_plex.conversion.preprocessors import sequence_lengths
from keras_plex.conversion.preprocessors import share_preprocessor
from keras_plex.conversion.preprocessors import without_preprocessor
from keras_plex.conversion.quantization import check_modes
from keras_plex.conversion.quantization import enable_lora_as
from keras_plex.conversion.quantization import quantization_of
from keras_plex.conversion.quantization import quantize_as
from keras_plex.conversion.surgery import dtype_policy_of
from keras_plex.conversion.surgery import owns_variables
from keras_plex.conversion.surgery import walk_layers
from keras_plex.conversion.vocabularies import copy_vocabularies
from keras_plex.types import Config


def copy_model(model: keras.Model, **config_changes) -> keras.Model:
    """A new model with the same weights, flags and preprocessor, uncompiled.

    Args:
        model: a built model that can be made from its `get_config`.
        **config_changes: entries of the configuration to replace.
    """
    model = reloadable(model)
    check_modes(model)
    copy = make_again(model, config_changes)
    share_preprocessor(model, copy)
    if len(copy.weights) != len(model.weights):
        build_config = model.get_build_config()
        if build_config:
            with warnings.catch_warnings():
                # Whether it was built is seen by its weights.
                warnings.simplefilter("ignore")
                copy.build_from_config(build_config)
    _copy_state(model, copy)
    copy_vocabularies(model, copy)
    return copy


def serialize_stock(model: keras.Model) -> Config:
    """What a file needs to make the stock model again, uncompiled."""
    serialized = keras.saving.serialize_keras_object(model)
    serialized.pop("compile_config", None)
    serialized["config"].update(_head_dtype(model))
    preprocessor = preprocessor_of(model)
    inner = serialized["config"].get("preprocessor")
    if preprocessor is not None and inner is not None:
        inner["config"].update(sequence_lengths(preprocessor))
    return serialized


def deserialize_stock(serialized: Config, custom_objects=None) -> keras.Model:
    """The model of `serialize_stock`, with weights of its own."""
    with unbuilt_layers_allowed():
        # Keras empties what it reads.
        return keras.saving.deserialize_keras_object(
            copying.deepcopy(serialized), custom_objects=custom_objects
        )


def copy_compilation(model: keras.Model, copy: keras.Model) -> None:
    """Compiles the copy as the model is, with a fresh optimizer."""
    if not getattr(model, "compiled", False):
        return
    try:
        config = model.get_compile_config()
        copy.compile(
            **keras.saving.deserialize_keras_object(config),
            **_sampler_of(model),
        )
    except Exception as error:
        warnings.warn(
            f"Could not copy how {model.name!r} was compiled: "
            f"{str(error)[:200]}. Call `compile` again.",
            stacklevel=3,
        )


def _sampler_of(model: keras.Model) -> Config:
    # Keras does not know it, as it is KerasHub's.
    sampler = getattr(model, "sampler", None)
    if sampler is None:
        return {}
    return {"sampler": type(sampler).from_config(sampler.get_config())}


def make_again(model: keras.Model, config_changes: Config) -> keras.Model:
    """A model with the same configuration, and with weights of its own."""
    # Keras finds its own: the layer `Add` must not hide the operation `Add`.
    classes = {
        type(layer).__name__: type(layer)
        for layer in walk_layers(model)
        if type(layer).__module__.partition(".")[0] != "keras"
    }
    try:
        config = {**model.get_config(), **_head_dtype(model)}
        config.update(config_changes)
        config = without_preprocessor(model, config)
        if config.get("build_input_shape"):
            # A Sequential model built by data knows the size of its batch.
            config["build_input_shape"] = (
                None,
                *config["build_input_shape"][1:],
            )
        with (
            keras.saving.custom_object_scope(classes),
            unbuilt_layers_allowed(),
        ):
            return type(model).from_config(config)
    except Exception as error:
        raise ValueError(
            f"Cannot copy {model.name!r}: {type(model).__name__}.from_config("
            "get_config()) must give a model like it. Implement `get_config`, "
            "register functions of your own with `@keras.saving."
            "register_keras_serializable()`, allow a `Lambda` with `keras."
            "config.enable_unsafe_deserialization()`, or wrap the model as "
            "`keras.Model(model.inputs, model.outputs)`. It said: "
            f"{_cause(error)[:300]}"
        ) from error


def _cause(error: Exception) -> str:
    # Around it Keras prints the configuration of each object.
    return str(error).rpartition("Exception encountered: ")[2]


def _head_dtype(model: keras.Model) -> Config:
    # KerasHub's tasks take it as an argument but leave it out of the config.
    head = getattr(model, "output_dense", None)
    takes_it = "head_dtype" in inspect.signature(type(model)).parameters
    return {"head_dtype": head.dtype_policy.name} if head and takes_it else {}


def _left_out(model: keras.Model, copy: keras.Model) -> str:
    """What the configurations do not say, for a message."""
    if not copy.weights:
        return (
            " It does not run on symbolic tensors of the shapes that it was "
            "built with: make its weights in `build`, and let `call` compute "
            "with `keras.ops` alone."
        )
    parts = [x for x in walk_layers(model) if isinstance(x, keras.Model)]
    for part in (*parts, model):
        if type(part).__module__.partition(".")[0] == "keras":
            continue
        config = part.get_config()
        arguments = inspect.signature(type(part)).parameters.values()
        missing = [
            argument.name
            for argument in arguments
            if argument.kind is not argument.VAR_KEYWORD
            and argument.name not in {*config, *_head_dtype(part)}
        ]
        if missing:
            return (
                f" The configuration of {type(part).__name__!r} leaves out "
                f"{', '.join(missing)}, so a file does not hold them either: "
                "leave them at their defaults."
            )
    return ""


def _copy_state(model: keras.Model, copy: keras.Model) -> None:
    ours = [layer for layer in walk_layers(model) if owns_variables(layer)]
    theirs = [layer for layer in walk_layers(copy) if owns_variables(layer)]
    quantize_as(copy, quantization_of(model))
    for old, new in zip(ours, theirs, strict=False):
        enable_lora_as(new, old)
    pairs = _matched_weights(model, copy, ours, theirs)
    if pairs is None or any(old.shape != new.shape for old, new in pairs):
        raise ValueError(
            f"Cannot copy {model.name!r}: made again from its configuration it "
            f"has other weights ({len(copy.weights)} instead of "
            f"{len(model.weights)}, or other shapes).{_left_out(model, copy)}"
        )
    for old, new in _pairs_of_layers(model, copy):
        theirs_are = _settings(new)
        for name, value in _settings(old).items():
            found = theirs_are.get(name, value)
            if found != value:
                raise ValueError(
                    f"Cannot copy {model.name!r}: its configuration does not "
                    f"tell that {old.path!r} has {name}={value!r}; made again "
                    f"it has {name}={found!r}.{_left_out(model, copy)}"
                )
    for old, new in zip(ours, theirs, strict=True):
        ours_is, theirs_is = _how_it_computes(old), _how_it_computes(new)
        if ours_is != theirs_is:
            raise ValueError(
                f"Cannot copy {model.name!r}: its configuration does not tell "
                f"that {old.path!r} computes in {ours_is}; made again it "
                f"computes in {theirs_is}."
            )
    for old, new in pairs:
        new.assign(old.numpy())
    for layer in walk_layers(copy):
        if isinstance(layer, keras.layers.Normalization):
            layer.finalize_state()  # it computes with copies of its weights
    _copy_trainable_flags(model, copy, pairs)


def _settings(layer: keras.layers.Layer) -> Config:
    """What a layer says of itself in plain values."""
    try:
        config = layer.get_config()
    except Exception:  # it has none that works, as Swin's `PatchMerging`
        return {}
    others = ("name", "trainable", "seed")
    plain = (bool, int, float, str)
    return {
        name: value
        for name, value in config.items()
        if name not in others and isinstance(value, plain)
    }


def _matched_weights(model, copy, ours, theirs) -> list[tuple] | None:
    """Pairs of weights; `None` where the models do not match."""
    by_name = []
    for old, new in zip(ours, theirs, strict=False):
        if old.quantization_mode is None:
            continue
        # Their order depends on when the layer was quantized.
        names = {weight.name: weight for weight in new.weights}
        if names.keys() != {weight.name for weight in old.weights}:
            return None
        by_name += [(weight, names[weight.name]) for weight in old.weights]
    seen = {id(weight) for pair in by_name for weight in pair}
    others = [
        [weight for weight in x.weights if id(weight) not in seen]
        for x in (model, copy)
    ]
    if len(others[0]) != len(others[1]):
        return None
    return [*by_name, *zip(*others, strict=True)]


def _how_it_computes(layer: keras.layers.Layer) -> str:
    policy = dtype_policy_of(layer)
    if policy.quantization_mode is None:
        return policy.name
    # Keras does not always name these policies.
    return f"{policy.quantization_mode} from {policy.compute_dtype}"


def _copy_trainable_flags(
    model: keras.Model, copy: keras.Model, weights: list[tuple]
) -> None:
    # Outer ones first: a flag goes down to all that is inside.
    copy.trainable = model.trainable
    for old, new in _pairs_of_layers(model, copy):
        new.trainable = old.trainable
    for old, new in weights:
        if new.trainable != old.trainable:
            new.trainable = old.trainable


def _pairs_of_layers(
    model: keras.Model, copy: keras.Model
) -> list[tuple[keras.layers.Layer, keras.layers.Layer]]:
    """Layers that hold weights, with their copies; none if they differ."""
    ours, theirs = (
        [layer for layer in walk_layers(one) if layer.weights]
        for one in (model, copy)
    )
    if [type(layer) for layer in ours] != [type(layer) for layer in theirs]:
        return []
    return list(zip(ours, theirs, strict=True))
