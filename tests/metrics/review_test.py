"""How many examples are reviewed, and which arguments make no sense."""

import numpy as np
import pytest
from keras import ops

from keras_plex.metrics.review import check_bins
from keras_plex.metrics.review import check_share
from keras_plex.metrics.review import check_two_classes
from keras_plex.metrics.review import review_count


@pytest.mark.parametrize(
    "fraction, total, count",
    [(0.4, 8, 3), (0.15, 8, 1), (0.29, 100, 29), (0.01, 100, 1), (1, 7, 7)],
)
def test_the_product_is_rounded_down(fraction, total, count):
    # 0.29 * 100 is 28.999999999999996.
    assert review_count(fraction, np.float64(total), np) == count
    single = review_count(fraction, ops.cast(total, "float32"), ops)
    assert float(single) == count


@pytest.mark.parametrize("share", [-0.1, 1.1, np.nan, "0.1", None, True])
def test_a_share_lies_between_0_and_1(share):
    with pytest.raises(ValueError, match=r"`fraction` must lie in \[0, 1\]"):
        check_share("fraction", share)


@pytest.mark.parametrize("num_bins", [0, 1001, 10.0])
def test_bins_of_equal_width_are_at_most_1000(num_bins):
    with pytest.raises(ValueError, match="integer from 1 to 1000, or None"):
        check_bins(num_bins)
    check_bins(None)
    check_bins(1000)


def test_a_threshold_needs_two_classes():
    with pytest.raises(ValueError, match="for two classes.*3 classes"):
        check_two_classes(np.ones((4, 3)))
