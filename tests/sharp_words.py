"""Language models whose next words are not all equally probable."""

import keras

from tests.cases import with_random_weights


def with_sharp_words(model: keras.Model) -> keras.Model:
    """Random weights, and next-token distributions far from uniform."""
    model = with_random_weights(model)
    backbone = model.backbone
    name = "token_embedding"
    if not hasattr(backbone, name):
        name = f"decoder_{name}"  # T5Gemma has two
    embedding = getattr(backbone, name)
    embedding.set_weights([4.0 * x for x in embedding.get_weights()])
    return model
