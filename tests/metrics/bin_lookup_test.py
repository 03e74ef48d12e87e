"""The table finds what a search finds."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_plex.metrics.bin_lookup import BinLookup
from keras_plex.metrics.fine_bins import fine_edges

EDGES = np.concatenate([fine_edges(), np.arange(1, 15) / 15])
each_dtype = pytest.mark.parametrize("dtype", ["float32", "float64"])


def search(edges, values):
    edges = np.unique(edges.astype(values.dtype))
    return np.searchsorted(edges, values, side="right")


@each_dtype
def test_equals_a_search_everywhere(dtype):
    find_bin = BinLookup(EDGES, dtype)
    generator = np.random.default_rng(0)
    edges = EDGES.astype(dtype)
    values = np.concatenate(
        [
            np.array([0.0, -0.0, 1.0, 1.01, 5e-324, 1e-45, 1e-8]),
            edges,
            np.nextafter(edges, edges.dtype.type(0)),
            np.nextafter(edges, edges.dtype.type(1)),
            generator.uniform(size=1000),
            10.0 ** -generator.uniform(0, 40, 1000),
            1.0 - 10.0 ** -generator.uniform(0, 9, 1000),
        ]
    ).astype(dtype)
    np.testing.assert_array_equal(find_bin(values), search(EDGES, values))


@each_dtype
@given(
    edges=st.lists(st.floats(0.0, 1.0), max_size=5),
    values=st.lists(st.floats(0.0, 1.0), min_size=1),
)
def test_equals_a_search_for_any_edges(dtype, edges, values):
    values = np.array(values, dtype)
    found = BinLookup(np.array(edges), dtype)(values)
    np.testing.assert_array_equal(found, search(np.array(edges), values))


def test_no_edge_is_one_bin():
    find_bin = BinLookup(np.array([]), "float32")
    assert find_bin(np.float32([0.0, 1.0])).tolist() == [0, 0]
