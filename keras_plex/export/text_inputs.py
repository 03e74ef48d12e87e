"""Requests of texts, which the exported graph turns into tokens."""

import keras

from keras_plex.conversion.preprocessors import preprocessor_of
from keras_plex.export.inputs import INPUT
from keras_plex.export.inputs import ServingInputs
from keras_plex.export.inputs import one_string


def text_inputs(model: keras.Model) -> ServingInputs:
    """A string for each example, which a KerasHub task tokenizes.

    Raises:
        ValueError: for a model without a preprocessor of texts.
    """
    preprocessor = preprocessor_of(model)
    if getattr(preprocessor, "tokenizer", None) is None:
        raise ValueError(
            f"{model.name!r} has no preprocessor that turns texts into tokens: "
            'it must be a KerasHub task. Export with `input_kind="array"` what '
            "takes tokens, or strings themselves."
        )
    return ServingInputs(
        one_string(), lambda named: preprocessor(named[INPUT]), preprocessor
    )
