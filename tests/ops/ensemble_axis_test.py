"""Members are member-major inside a model and after the batch outside."""

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
from keras import ops

from keras_plex.ops.ensemble_axis import check_ensemble_size
from keras_plex.ops.ensemble_axis import join_members
from keras_plex.ops.ensemble_axis import members_after_batch
from keras_plex.ops.ensemble_axis import members_before_batch
from keras_plex.ops.ensemble_axis import merge_members
from keras_plex.ops.ensemble_axis import per_member
from keras_plex.ops.ensemble_axis import rows_per_member
from keras_plex.ops.ensemble_axis import split_members
from keras_plex.ops.ensemble_axis import tile_members

SIZES = st.integers(1, 5)
SHAPES = st.lists(st.integers(1, 4), min_size=1, max_size=4)


def numbered(shape):
    return np.arange(np.prod(shape), dtype="float32").reshape(shape)


@settings(max_examples=25)
@given(shape=SHAPES, ensemble_size=SIZES)
def test_row_is_member_times_batch_plus_example(shape, ensemble_size):
    x = numbered(shape)
    tiled = ops.convert_to_numpy(tile_members(x, ensemble_size))
    assert tiled.shape == (ensemble_size * shape[0], *shape[1:])
    for member in range(ensemble_size):
        for example in range(shape[0]):
            row = member * shape[0] + example
            np.testing.assert_array_equal(tiled[row], x[example])


@settings(max_examples=25)
@given(shape=SHAPES, ensemble_size=SIZES)
def test_split_undoes_merge_and_merge_undoes_split(shape, ensemble_size):
    x = numbered([ensemble_size, *shape])
    folded = merge_members(x)
    assert tuple(folded.shape) == (ensemble_size * shape[0], *shape[1:])
    unfolded = split_members(folded, ensemble_size)
    np.testing.assert_array_equal(ops.convert_to_numpy(unfolded), x)


@settings(max_examples=25)
@given(shape=SHAPES, ensemble_size=SIZES)
def test_outside_a_model_the_batch_comes_first(shape, ensemble_size):
    x = numbered(shape)
    outside = members_after_batch(tile_members(x, ensemble_size), ensemble_size)
    assert tuple(outside.shape) == (shape[0], ensemble_size, *shape[1:])
    for member in range(ensemble_size):
        np.testing.assert_array_equal(
            ops.convert_to_numpy(outside)[:, member], x
        )


def test_members_before_the_batch_undo_members_after_it():
    rows = np.arange(12.0).reshape(6, 2)
    outside = members_after_batch(rows, 3)
    np.testing.assert_array_equal(members_before_batch(outside), rows)


def test_a_batch_size_known_only_when_run_works():
    x = keras.Input((4,))
    model = keras.Model(x, split_members_layer()(x))
    assert model.predict(np.ones((6, 4)), verbose=0).shape == (3, 2, 4)


def split_members_layer():
    return keras.layers.Lambda(
        lambda x: split_members(x, 3), output_shape=lambda s: (3, None, s[-1])
    )


def test_one_tensor_per_member_joins_to_rows_that_split_again():
    parts = [numbered((2, 3)) + 10 * member for member in range(4)]
    rows = join_members(parts)
    assert tuple(rows.shape) == (8, 3)
    for found, part in zip(split_members(rows, 4), parts, strict=True):
        np.testing.assert_array_equal(ops.convert_to_numpy(found), part)


def test_known_rows_stay_known_beside_a_length_that_is_not():
    tf = pytest.importorskip("tensorflow")
    if keras.config.backend() != "tensorflow":
        pytest.skip("Runs on TensorFlow.")
    shapes = []

    @tf.function(input_signature=[tf.TensorSpec((6, None, 4))])
    def split_and_merge(x):
        unfolded = split_members(x, 3)
        shapes.append(unfolded.shape.as_list())
        shapes.append(merge_members(unfolded).shape.as_list())
        return x

    split_and_merge(np.zeros((6, 5, 4), "float32"))
    assert shapes == [[3, 2, None, 4], [6, None, 4]]


def test_an_empty_batch_stays_empty():
    empty = np.zeros((0, 4), "float32")
    assert tuple(tile_members(empty, 3).shape) == (0, 4)
    assert tuple(split_members(empty, 3).shape) == (3, 0, 4)


def test_a_member_weight_broadcasts_along_its_own_axes():
    # Unfolded (ensemble 2, batch, 3, tokens, 4); dims 3 and 4 at axes 2, 4.
    weight = numbered((2, 3, 4))
    assert tuple(per_member(weight, (2, 4), rank=5).shape) == (2, 1, 3, 1, 4)


def test_rows_that_are_no_multiple_raise():
    with pytest.raises(ValueError) as error:
        split_members(np.ones((4, 2)), 3)
    assert "must be a multiple of `ensemble_size`" in str(error.value)
    assert "rows=4, ensemble_size=3" in str(error.value)


@pytest.mark.parametrize("size", [0, -1, 2.0, "3", None, True])
def test_an_ensemble_size_that_is_no_positive_integer_raises(size):
    with pytest.raises(ValueError) as error:
        check_ensemble_size(size)
    assert "`ensemble_size` must be a positive integer" in str(error.value)
    assert f"ensemble_size={size!r}" in str(error.value)


def test_a_third_of_the_rows_is_a_member_of_three():
    assert rows_per_member(12, 3) == 4
    assert rows_per_member(None, 3) is None
