"""What a family of models can say about itself."""

import dataclasses
from collections.abc import Callable
from collections.abc import Sequence

import keras

from keras_plex.conversion.sites import Site


@dataclasses.dataclass(frozen=True)
class Family:
    """Special knowledge about one family of models.

    Args:
        is_member: whether a model belongs to it, told without importing its
            package.
        is_backbone: whether a member is a backbone, which needs a head.
        with_head: `(backbone, num_classes)` to a classifier around it.
        default_head: what `head=None` means.
        prepare: `(model, layers)` changes a converted model in place, given
            the blocks that hold members; returns whether its passes need only
            the class token of the last block.
        tiles_inside: the sites to the blocks that tile rows inside rather than
            at their arguments, each with the mixin that does it, which reads
            `inner_ensemble_size`.
        block_names: of a convolutional family: a regular expression that finds
            in the path of a layer the name of its block.
        refusal: of a family that cannot be converted: why, and what can.
    """

    is_member: Callable[[keras.Model], bool]
    is_backbone: Callable[[keras.Model], bool] = lambda model: False
    with_head: Callable[[keras.Model, int], keras.Model] | None = None
    default_head: str = "gp"
    prepare: Callable[[keras.Model, list[keras.layers.Layer]], bool] = (
        lambda model, layers: False
    )
    tiles_inside: Callable[[Sequence[Site]], dict[keras.layers.Layer, type]] = (
        lambda sites: {}
    )
    block_names: str | None = None
    refusal: str | None = None


def has_ancestor(model: keras.Model, package: str, name: str) -> bool:
    """Whether a class of this name and package is among the model's."""
    return any(
        cls.__name__ == name and cls.__module__.partition(".")[0] == package
        for cls in type(model).__mro__
    )
