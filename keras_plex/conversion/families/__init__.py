"""Models that need special knowledge; the generic walk serves the rest."""

import keras

from keras_plex.conversion.families import contrastive
from keras_plex.conversion.families import deit
from keras_plex.conversion.families import vit
from keras_plex.conversion.families.family import Family
from keras_plex.conversion.families.image_classifiers import IMAGE_CLASSIFIERS
from keras_plex.conversion.families.pooled import POOLED

FAMILIES: dict[str, Family] = {
    "vit": vit.FAMILY,
    "deit": deit.FAMILY,
    **POOLED,
    "contrastive": contrastive.FAMILY,
    **IMAGE_CLASSIFIERS,
}


def find_family(model: keras.Model) -> Family | None:
    """The family of a model, or `None`."""
    for family in FAMILIES.values():
        if family.is_member(model):
            return family
    return None
