"""Models that need special knowledge; the generic walk serves the rest."""

import keras

from keras_plex.conversion.families import t5
from keras_plex.conversion.families import vit
from keras_plex.conversion.families.family import Family

FAMILIES: dict[str, Family] = {
    "vit": vit.FAMILY,
    "t5": t5.FAMILY,
}


def find_family(model: keras.Model) -> Family | None:
    """The family of a model, or `None`."""
    for family in FAMILIES.values():
        if family.is_member(model):
            return family
    return None
