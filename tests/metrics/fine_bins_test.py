"""The bins are narrow where probabilities saturate."""

import numpy as np

from keras_plex.metrics.fine_bins import fine_edges
from keras_plex.metrics.fine_bins import num_fine_bins


def test_edges_ascend_within_zero_and_one_also_as_float32():
    assert (np.diff(fine_edges()) > 0).all()
    edges = fine_edges().astype("float32")
    assert (np.diff(edges) >= 0).all()  # near 1 there are fewer float32
    assert 0 < edges[0] < 1e-7 and 1 - 2e-7 < edges[-1] < 1


def test_the_upper_half_mirrors_the_lower():
    edges = fine_edges()
    np.testing.assert_allclose(edges, 1 - edges[::-1], atol=1e-16)


def test_a_thousand_classes_need_less_than_fifty_megabytes():
    columns, variables, size = 3, 2, 4
    assert 1000 * num_fine_bins() * columns * variables * size < 50e6
