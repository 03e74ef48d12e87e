"""Vocabularies that were learnt: neither weights nor configuration."""

import pathlib
import tempfile
from typing import Any

import keras
import numpy as np

from keras_plex.conversion.preprocessors import preprocessor_of
from keras_plex.conversion.surgery import walk_layers

WITH_VOCABULARY = (
    keras.layers.IntegerLookup,
    keras.layers.StringLookup,
    keras.layers.TextVectorization,
)


def copy_vocabularies(model: keras.Model, copy: keras.Model) -> None:
    """Gives a model of the same architecture what the other has learnt."""
    for old, new in zip(_lookups(model), _lookups(copy), strict=True):
        # How rare a word is, for `output_mode="tf_idf"`.
        frequencies: dict[str, Any] = {}
        old.save_own_variables(frequencies)
        new.load_own_variables(frequencies)
        with tempfile.TemporaryDirectory() as folder:
            old.save_assets(folder)
            new.load_assets(folder)


def vocabularies_of(model: keras.Model) -> list[Any]:
    """What each layer with a vocabulary, and the tokenizer, would save.

    Arrays by name, of files their bytes; of a KerasHub task the tokenizer is
    that of its preprocessor.
    """
    tokenizer = getattr(preprocessor_of(model), "tokenizer", None)
    saving = [*_lookups(model), tokenizer]
    return [_saved_by(one) for one in saving if hasattr(one, "save_assets")]


def _lookups(model: keras.Model) -> list[keras.layers.Layer]:
    return [x for x in walk_layers(model) if isinstance(x, WITH_VOCABULARY)]


def _saved_by(layer: Any) -> dict[str, Any]:
    saved: dict[str, Any] = {}
    if isinstance(layer, WITH_VOCABULARY):
        layer.save_own_variables(saved)
    with tempfile.TemporaryDirectory() as folder:
        layer.save_assets(folder)
        for file in sorted(pathlib.Path(folder).iterdir()):
            saved[file.name] = np.frombuffer(file.read_bytes(), "uint8")
    return saved
