"""Functions of whole arrays: longer than a chunk, and what they refuse."""

import numpy as np
import pytest

from keras_plex.metrics import member_disagreement
from keras_plex.metrics import member_kl_divergence
from keras_plex.metrics import subpopulation_accuracy
from keras_plex.metrics.arrays import CHUNK


def test_arrays_longer_than_a_chunk_are_read_to_the_end():
    members = np.tile([0.9, 0.1], (CHUNK + 1, 2, 1))
    members[-1, 0] = [0.1, 0.9]
    share = 1 / (CHUNK + 1)
    assert member_disagreement(members) == pytest.approx(share)
    labels = np.zeros(CHUNK + 1, int)
    groups = np.zeros(CHUNK + 1, int)
    labels[-1] = groups[-1] = 1
    forecasts = np.tile([0.9, 0.1], (CHUNK + 1, 1))
    assert subpopulation_accuracy(labels, forecasts, groups) == 0.0


def test_weights_count():
    members = np.array([[[0.9, 0.1], [0.1, 0.9]], [[0.9, 0.1], [0.9, 0.1]]])
    value = member_disagreement(members, sample_weight=[1.0, 3.0])
    assert value == pytest.approx(0.25)


def test_bad_probabilities_are_an_error():
    for function in (member_disagreement, member_kl_divergence):
        with pytest.raises(ValueError, match="apply a softmax first"):
            function(np.full((2, 2, 2), 3.0))
        with pytest.raises(ValueError, match="`probabilities` is empty"):
            function(np.zeros((0, 2, 2)))


def test_bad_labels_are_an_error():
    with pytest.raises(ValueError, match="class indices 0 to 1. Received: 2"):
        member_disagreement(np.full((1, 2, 2), 0.5), y_true=[2])


@pytest.mark.parametrize("groups", [[0], [0, -1], [0, 0.5], [[0], [0]]])
def test_bad_groups_are_an_error(groups):
    with pytest.raises(ValueError, match="`groups` must hold an integer"):
        subpopulation_accuracy([0, 1], [[1.0, 0.0], [1.0, 0.0]], groups)
