"""Models that compare each image with each text of a batch: refused."""

import keras

from keras_plex.conversion.families.family import Family
from keras_plex.conversion.families.family import has_ancestor

CONTRASTIVE = ("CLIPBackbone", "MetaCLIP2Backbone", "SigLIPBackbone")


def is_member(model: keras.Model) -> bool:
    """Whether it is a contrastive model of KerasHub, text and images."""
    return any(has_ancestor(model, "keras_hub", name) for name in CONTRASTIVE)


FAMILY = Family(
    is_member=is_member,
    refusal=(
        "compares the examples of a batch with each other, so its members "
        "could not be told apart. Convert the part that treats each image "
        "alone: `plexify(model.vision_encoder, num_classes=...)`."
    ),
)
