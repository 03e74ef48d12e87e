"""KerasHub's preprocessors, which stand beside a model's layers."""

import inspect
from typing import Any

import keras

from keras_plex.types import Config


def preprocessor_of(model: keras.Model) -> Any:
    """What a KerasHub task applies to raw data; `None` without one.

    A layer of that name in a model of one's own is a part of the network.
    """
    is_pipeline = hasattr(model, "preprocess_samples")
    return getattr(model, "preprocessor", None) if is_pipeline else None


def share_preprocessor(model: keras.Model, copy: keras.Model) -> None:
    """Gives the copy that of the model: its vocabularies are no weights."""
    preprocessor = preprocessor_of(model)
    if preprocessor is not None:
        copy.preprocessor = preprocessor


def without_preprocessor(model: keras.Model, config: Config) -> Config:
    """A configuration of the model that makes none."""
    if not hasattr(model, "preprocess_samples") or "preprocessor" not in config:
        return config
    return {**config, "preprocessor": None}


def sequence_lengths(preprocessor: keras.layers.Layer) -> Config:
    """What KerasHub's pairs of texts leave out of their configuration.

    Without these a stock model that is loaded cuts its texts elsewhere.
    """
    names = ("encoder_sequence_length", "decoder_sequence_length")
    taken = inspect.signature(type(preprocessor)).parameters
    return {
        name: getattr(preprocessor, name) for name in names if name in taken
    }
