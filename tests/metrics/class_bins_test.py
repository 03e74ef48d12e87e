"""Sums by class and bin."""

import numpy as np
from keras import ops

from keras_plex.metrics.class_bins import class_sums
from keras_plex.metrics.class_bins import mean_over_classes
from keras_plex.metrics.confidence_bins import equal_width_bin


def test_each_probability_lies_in_a_bin_of_its_class():
    labels = np.array([[1.0, 0.0], [0.0, 1.0]], "float32")
    forecast = np.array([[0.75, 0.25], [0.5, 0.5]], "float32")
    sums = class_sums(
        ops.convert_to_tensor(labels),
        ops.convert_to_tensor(forecast),
        ops.convert_to_tensor(np.array([2.0, 1.0], "float32")),
        find_bin=lambda values: equal_width_bin(values, 2),
        num_bins=2,
        threshold=0.3,
    )
    # weight, probability and label by class and bin; 0.25 does not count
    np.testing.assert_array_equal(
        ops.convert_to_numpy(sums),
        [[[0, 0, 0], [3, 2.0, 2]], [[0, 0, 0], [1, 0.5, 1]]],
    )


def test_classes_without_weight_do_not_count():
    gaps, weight = ops.array([1.0, 5.0, 0.0]), ops.array([2.0, 10.0, 0.0])
    assert float(mean_over_classes(gaps, weight)) == 0.5
    assert np.isnan(float(mean_over_classes(gaps * 0, weight * 0)))
