"""Language models whose next words are not all equally probable."""

import keras

from tests.cases import with_random_weights


def with_sharp_words(model: keras.Model) -> keras.Model:
    """Random weights, large enough that a text is no one word repeated."""
    model = with_random_weights(model)
    for weight in model.weights:
        if len(weight.shape) > 1:
            weight.assign(3.0 * weight)
    return model
