"""Models that stand side by side have one structure and nothing in common."""

from collections.abc import Sequence

import keras
from keras import tree

from keras_plex.conversion.preprocessors import preprocessor_of
from keras_plex.conversion.stock import check_built
from keras_plex.conversion.surgery import walk_layers
from keras_plex.models.member_outputs import MemberOutputs
from keras_plex.models.output_kinds import kinds_of_model
from keras_plex.models.output_sources import find_sources


def check_members(models: Sequence[keras.Model]) -> None:
    """Raises unless these are independent models that can be averaged."""
    if not isinstance(models, (list, tuple)) or not models:
        raise ValueError(
            "`models` must be a list of at least one model. "
            f"Received: models={models!r}"
        )
    for model in models:
        check_stock(model)
    check_independent(models)
    for number, model in enumerate(models[1:], start=1):
        for name, describe in DESCRIPTIONS.items():
            first, other = describe(models[0]), describe(model)
            if first != other:
                raise ValueError(
                    f"The members must have the same {name}, but that of "
                    f"models[0] is {str(first)[:500]} and that of "
                    f"models[{number}] is {str(other)[:500]}."
                )


def check_stock(model: keras.Model) -> None:
    """Raises unless it is a built Keras model without members of its own."""
    check_built(model)
    if isinstance(model, MemberOutputs) or any(
        isinstance(layer, MemberOutputs) for layer in walk_layers(model)
    ):
        raise ValueError(
            f"{model.name!r} has members already. Pass stock models."
        )


def check_independent(models: Sequence[keras.Model]) -> None:
    """Raises if two members are one object, or share a weight."""
    owner: dict[int, int] = {}
    for number, model in enumerate(models):
        for weight in model.weights:
            first = owner.setdefault(id(weight), number)
            if first != number:
                raise ValueError(
                    f"models[{first}] and models[{number}] share the weight "
                    f"{weight.path!r}: members must be independent. Make each "
                    "on its own, or all with `DeepEnsemble.from_model(model)`."
                )


def input_structure(model: keras.Model):
    """What a model is called with, as symbolic tensors."""
    is_sequential = isinstance(model, keras.Sequential)
    return model.inputs[0] if is_sequential else model.input


def output_structure(model: keras.Model):
    """What a model returns, as symbolic tensors."""
    is_sequential = isinstance(model, keras.Sequential)
    return model.outputs[0] if is_sequential else model.output


def _inputs(model: keras.Model):
    return tree.map_structure(
        lambda x: f"{x.dtype}{tuple(x.shape[1:])}", input_structure(model)
    )


def _outputs(model: keras.Model):
    return tree.map_structure(
        lambda x: tuple(x.shape[1:]), output_structure(model)
    )


def _kinds(model: keras.Model):
    return kinds_of_model(model, find_sources(model))


def _preprocessor(model: keras.Model):
    preprocessor = preprocessor_of(model)
    if preprocessor is None:
        return None
    return type(preprocessor).__name__, _nameless(preprocessor.get_config())


def _nameless(config):
    # Keras numbers what is made alike.
    if not isinstance(config, dict):
        return config
    numbered = ("name", "shared_object_id")
    return {k: _nameless(config[k]) for k in config if k not in numbered}


# What is the same for all members -> how to see it.
DESCRIPTIONS = {
    "input structure": _inputs,
    "output structure": _outputs,
    "kind of outputs": _kinds,
    "preprocessor": _preprocessor,
}
