"""Models that need special knowledge; the generic walk serves the rest."""

import keras

from keras_plex.conversion.families import contrastive
from keras_plex.conversion.families import deit
from keras_plex.conversion.families import keras_hub
from keras_plex.conversion.families import language_model
from keras_plex.conversion.families import t5
from keras_plex.conversion.families import text_classifier
from keras_plex.conversion.families import vit
from keras_plex.conversion.families.family import Family
from keras_plex.conversion.families.image_classifiers import IMAGE_CLASSIFIERS
from keras_plex.conversion.families.pooled import POOLED

# The first that a model belongs to is its family.
FAMILIES: dict[str, Family] = {
    "vit": vit.FAMILY,
    "t5": t5.FAMILY,
    "language_model": language_model.FAMILY,
    "deit": deit.FAMILY,
    **POOLED,
    "contrastive": contrastive.FAMILY,
    **IMAGE_CLASSIFIERS,
    "text_classifier": text_classifier.FAMILY,
    "keras_hub": keras_hub.FAMILY,
}


def find_family(model: keras.Model) -> Family | None:
    """The family of a model, or `None`."""
    for family in FAMILIES.values():
        if family.is_member(model):
            return family
    return None


def find_default_head(model: keras.Model) -> str:
    """What `head=None` means for a model."""
    if language_model.FAMILY.is_member(model):  # of whatever family
        return language_model.FAMILY.default_head
    family = find_family(model)
    return "gp" if family is None else family.default_head
