"""Vocabularies that were learnt: neither weights nor configuration."""

import tempfile
from typing import Any

import keras

from keras_plex.conversion.surgery import walk_layers

WITH_VOCABULARY = (
    keras.layers.IntegerLookup,
    keras.layers.StringLookup,
    keras.layers.TextVectorization,
)


def copy_vocabularies(model: keras.Model, copy: keras.Model) -> None:
    """Gives a model of the same architecture what the other has learnt."""
    ours, theirs = (
        [x for x in walk_layers(one) if isinstance(x, WITH_VOCABULARY)]
        for one in (model, copy)
    )
    for old, new in zip(ours, theirs, strict=True):
        # How rare a word is, for `output_mode="tf_idf"`.
        frequencies: dict[str, Any] = {}
        old.save_own_variables(frequencies)
        new.load_own_variables(frequencies)
        with tempfile.TemporaryDirectory() as folder:
            old.save_assets(folder)
            new.load_assets(folder)
