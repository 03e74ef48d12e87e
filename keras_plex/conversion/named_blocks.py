"""Blocks of convolutional models, told by the names of their layers."""

import re

import keras

from keras_plex.conversion.methods import METHODS
from keras_plex.conversion.settings import Settings
from keras_plex.conversion.sites import Site
from keras_plex.conversion.sites import last_blocks
from keras_plex.conversion.sites import list_sites


def find_named_blocks(
    model: keras.Model, block_names: str, settings: Settings
) -> list[Site]:
    """The convolutions of the last blocks that the settings choose.

    Args:
        model: whose blocks are no layers of their own, or need not be.
        block_names: a regular expression that finds in a layer's path the name
            of its block.
        settings: as in `find_sites`, without `layers`.
    """
    kinds = tuple(METHODS[settings.method].all_layers)
    if keras.layers.Conv2D not in kinds:
        raise ValueError(
            f"{model.name!r} is convolutional, and the method "
            f"{settings.method!r} converts no `Conv2D`. Leave `method` out: "
            '"batch_ensemble" does. '
            f"Received: method={settings.method!r}"
        )
    if not settings.ensemble_attention:
        raise ValueError(
            "`ensemble_attention=False` leaves attention layers shared, but "
            f"{model.name!r} is convolutional and has none. Leave it out, or "
            "choose the layers with `layers=[...]`. "
            "Received: ensemble_attention=False"
        )
    blocks: dict[str, list[Site]] = {}
    for site in list_sites(model, kinds):
        name = re.search(block_names, site.path)
        if name is not None:
            blocks.setdefault(name.group(), []).append(site)
    return last_blocks(list(blocks.values()), settings.last_blocks, model)
