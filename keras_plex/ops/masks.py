"""Keras masks: which entries are no padding, kept beside a tensor."""

from collections.abc import Sequence

from keras.src.backend import get_keras_mask
from keras.src.backend import set_keras_mask

from keras_plex.ops.ensemble_axis import join_members
from keras_plex.ops.ensemble_axis import split_members
from keras_plex.ops.ensemble_axis import tile_members
from keras_plex.types import Tensor


def tile_with_mask(x: Tensor, ensemble_size: int) -> Tensor:
    """`tile_members` that takes the Keras mask of `x` along."""
    tiled = tile_members(x, ensemble_size)
    mask = get_keras_mask(x)
    if mask is not None:
        set_keras_mask(tiled, tile_members(mask, ensemble_size))
    return tiled


def join_with_masks(members: Sequence[Tensor]) -> Tensor:
    """`join_members` that takes their Keras masks along."""
    joined = join_members(members)
    masks = [get_keras_mask(x) for x in members]
    if all(mask is not None for mask in masks):
        set_keras_mask(joined, join_members(masks))
    return joined


def keras_mask(x: Tensor) -> Tensor | None:
    """Which entries of a tensor are no padding, where Keras knows it."""
    return get_keras_mask(x)


def with_mask_of_member(
    x: Tensor, rows: Tensor, ensemble_size: int, member: int = 0
) -> Tensor:
    """`x` with a member's part of the Keras mask of all members' `rows`."""
    mask = get_keras_mask(rows)
    if mask is not None:
        set_keras_mask(x, split_members(mask, ensemble_size)[member])
    return x
