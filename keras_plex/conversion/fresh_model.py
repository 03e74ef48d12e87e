"""A model's architecture with weights of its own."""

import contextlib
import itertools
import random
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from keras_plex.conversion.copying import make_again
from keras_plex.conversion.preprocessors import share_preprocessor
from keras_plex.conversion.surgery import owns_variables
from keras_plex.conversion.surgery import walk_layers
from keras_plex.conversion.vocabularies import copy_vocabularies


def fresh_model(model: keras.Model, name: str) -> keras.Model:
    """The model made again: what can learn starts from new random weights.

    Seeds in its configuration are left out, or it would start like `model`.
    Frozen layers (`trainable=False`) and adapted ones (`Normalization`,
    `TextVectorization`) keep what they know; a preprocessor is shared.

    Args:
        model: a built model that can be made from its `get_config`.
        name: of the new model.
    """
    config = without_seeds(model.get_config())
    fresh = make_again(model, {**config, "name": name})
    share_preprocessor(model, fresh)
    if len(fresh.weights) != len(model.weights):
        build_config = model.get_build_config()
        if build_config:
            fresh.build_from_config(build_config)
    shapes = [tuple(weight.shape) for weight in model.weights]
    if [tuple(weight.shape) for weight in fresh.weights] != shapes:
        raise ValueError(
            f"Cannot make {model.name!r} again: made from its configuration "
            "it has other weights. Make the members yourself, and pass them "
            "to `DeepEnsemble`."
        )
    _keep_what_does_not_learn(model, fresh)
    copy_vocabularies(model, fresh)
    return fresh


def check_different(models: Sequence[keras.Model]) -> None:
    """Raises if fresh models of one architecture came out equal."""
    for one, other in itertools.pairwise(models):
        pairs = zip(one.get_weights(), other.get_weights(), strict=True)
        if all(np.array_equal(x, y) for x, y in pairs):
            raise ValueError(
                f"{one.name!r} and {other.name!r} have equal weights, so they "
                "make no ensemble: all their layers are frozen, or the "
                "initializers draw nothing at random."
            )


def without_seeds(config: Any) -> Any:
    """A configuration with `None` for each integer `"seed"`."""
    if isinstance(config, dict):
        return {
            key: None
            if key == "seed" and isinstance(value, int)
            else without_seeds(value)
            for key, value in config.items()
        }
    if isinstance(config, (list, tuple)):
        return type(config)(without_seeds(value) for value in config)
    return config


@contextlib.contextmanager
def seeded(seed: int | None) -> Iterator[None]:
    """Within it, seeds that Keras draws for itself follow from `seed`."""
    if seed is None:
        yield
        return
    state = random.getstate()
    random.seed(seed)
    try:
        yield
    finally:
        random.setstate(state)


def _keep_what_does_not_learn(model: keras.Model, fresh: keras.Model) -> None:
    ours = [layer for layer in walk_layers(model) if owns_variables(layer)]
    theirs = [layer for layer in walk_layers(fresh) if owns_variables(layer)]
    for old, new in zip(ours, theirs, strict=True):
        is_adapted = isinstance(old, keras.layers.Normalization)
        if is_adapted or not old.trainable:
            new.set_weights(old.get_weights())
        if is_adapted:
            new.finalize_state()
        new.trainable = old.trainable
