"""Models that need special knowledge; the generic walk serves the rest."""

import keras

from keras_plex.conversion.families import keras_hub
from keras_plex.conversion.families import text_classifier
from keras_plex.conversion.families import vit
from keras_plex.conversion.families.family import Family

# The first that a model belongs to is its family.
FAMILIES: dict[str, Family] = {
    "vit": vit.FAMILY,
    "text_classifier": text_classifier.FAMILY,
    "keras_hub": keras_hub.FAMILY,
}


def find_family(model: keras.Model) -> Family | None:
    """The family of a model, or `None`."""
    for family in FAMILIES.values():
        if family.is_member(model):
            return family
    return None
