"""A reservoir is a uniform sample, however the rows come."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from keras_plex.scores.reservoir import Reservoir


def kept(rows, size, seed=0, cuts=()):
    reservoir = Reservoir(size, seed)
    for part in np.split(rows, sorted(cuts)):
        reservoir.update(part)
    return reservoir.rows


def test_all_rows_stay_while_there_is_room():
    rows = np.arange(10)
    np.testing.assert_array_equal(kept(rows, 10, cuts=[3, 4]), rows)
    np.testing.assert_array_equal(kept(rows, 99, cuts=[3, 4]), rows)


@given(st.lists(st.integers(0, 50), max_size=12))
def test_batches_do_not_change_the_sample(cuts):
    rows = np.arange(50)
    np.testing.assert_array_equal(kept(rows, 8, cuts=cuts), kept(rows, 8))


def test_no_row_is_kept_twice():
    assert len(set(kept(np.arange(500), 40).tolist())) == 40


def test_every_row_has_the_same_chance():
    counts = np.zeros(20)
    for seed in range(4000):
        counts[kept(np.arange(20), 5, seed)] += 1
    # 1000 expected of each; the standard deviation is sqrt(750) = 27.
    assert abs(counts - 1000).max() < 4.5 * 27


def test_the_array_of_the_caller_is_left_alone():
    rows = np.arange(10)
    reservoir = Reservoir(4, 0)
    reservoir.update(rows)
    reservoir.update(np.arange(10, 100))
    np.testing.assert_array_equal(rows, np.arange(10))
