"""Tiny T5 models of KerasHub's."""

import keras
import keras_hub


def t5_backbone(num_layers: int = 2, **arguments) -> keras.Model:
    """Width 8, two heads, gated feed-forward parts, twelve words."""
    return keras_hub.models.T5Backbone(
        **{
            "vocabulary_size": 12,
            "num_layers": num_layers,
            "num_heads": 2,
            "hidden_dim": 8,
            "intermediate_dim": 10,
            "dropout": 0.0,
            **arguments,
        }
    )
