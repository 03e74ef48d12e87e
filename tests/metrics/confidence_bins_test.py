"""Which bin holds a value, and sums that stay exact."""

import numpy as np
import pytest
from keras import ops

from keras_plex.metrics.confidence_bins import MAX_SEGMENTS
from keras_plex.metrics.confidence_bins import binned_sums
from keras_plex.metrics.confidence_bins import equal_width_bin
from keras_plex.metrics.confidence_bins import top_label


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_bins_hold_their_lower_edge(dtype):
    edges = (np.arange(100) / 100).astype(dtype)
    index = equal_width_bin(ops.convert_to_tensor(edges), 100)
    assert ops.convert_to_numpy(index).tolist() == list(range(100))


def test_the_last_bin_holds_one():
    index = equal_width_bin(ops.convert_to_tensor([0.9999, 1.0]), 15)
    assert ops.convert_to_numpy(index).tolist() == [14, 14]


def test_the_first_of_equal_classes_is_the_predicted_one():
    confidence, accuracy = top_label(
        ops.array([[0.25, 0.75]]), ops.array([[0.5, 0.5]])
    )
    assert float(confidence[0]) == 0.5 and float(accuracy[0]) == 0.25


@pytest.mark.parametrize("num_bins", [2, 3000, MAX_SEGMENTS + 1])
def test_sums_by_bin(num_bins):
    values = ops.array([[1.0, 10.0], [2.0, 20.0], [4.0, 40.0]])
    index = ops.array([0, num_bins - 1, 0], "int32")
    sums = ops.convert_to_numpy(binned_sums(values, index, num_bins))
    assert sums.shape == (num_bins, 2)
    assert sums[0].tolist() == [5.0, 50.0]
    assert sums[-1].tolist() == [2.0, 20.0]
    assert sums.sum() == 77.0
