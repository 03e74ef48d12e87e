"""What is done to the rows of members is done to their masks."""

import keras
import numpy as np
from keras import ops

from keras_plex.ops.masks import join_with_masks
from keras_plex.ops.masks import keras_mask
from keras_plex.ops.masks import tile_with_mask
from keras_plex.ops.masks import with_mask_of_member

TOKENS = np.array([[1, 2, 0], [3, 0, 0]])


def embedded():
    """`(2, 3, 4)` with the mask of `TOKENS`."""
    return keras.layers.Embedding(5, 4, mask_zero=True)(TOKENS)


def mask_of(x):
    mask = keras_mask(x)
    return None if mask is None else ops.convert_to_numpy(mask)


def test_members_have_the_mask_of_their_rows():
    tiled = tile_with_mask(embedded(), 3)
    np.testing.assert_array_equal(mask_of(tiled), np.tile(TOKENS > 0, (3, 1)))
    rows = join_with_masks([embedded(), keras.layers.Masking()(embedded())])
    assert mask_of(rows).shape == (4, 3)
    for member in range(2):
        one = ops.ones((2, 3, 4))
        found = with_mask_of_member(one, rows, 2, member)
        expected = mask_of(rows)[2 * member : 2 * member + 2]
        np.testing.assert_array_equal(mask_of(found), expected)


def test_without_a_mask_there_is_none():
    x = ops.ones((4, 3))
    assert mask_of(tile_with_mask(x, 2)) is None
    assert mask_of(join_with_masks([embedded(), ops.ones((2, 3, 4))])) is None
    assert mask_of(with_mask_of_member(ops.ones((2, 3)), x, 2)) is None


def test_tiling_takes_the_mask_along():
    embedding = keras.layers.Embedding(5, 2, mask_zero=True)
    x = embedding(np.array([[1, 0], [2, 3]]))
    pool = keras.layers.GlobalAveragePooling1D()
    once = ops.convert_to_numpy(pool(x))
    thrice = ops.convert_to_numpy(pool(tile_with_mask(x, 3)))
    np.testing.assert_allclose(thrice, np.concatenate([once] * 3), atol=1e-6)


def test_tiling_works_without_a_mask():
    tiled = tile_with_mask(np.array([[1.0], [2.0]]), 2)
    assert ops.convert_to_numpy(tiled).ravel().tolist() == [1, 2, 1, 2]
