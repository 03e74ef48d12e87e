"""The loss of a converted model is the mean of the members' losses."""

import numpy as np
import pytest
from keras import losses
from keras import ops

from keras_plex.losses import mean_over_members

LOGITS = np.random.default_rng(0).normal(size=(3, 4, 5)).astype("float32")
ROWS = LOGITS.reshape(12, 5)  # row = member * batch + example
LABELS = np.array([0, 4, 2, 2])


def cross_entropy(logits, labels):
    """Of each example, in nats."""
    largest = logits.max(-1, keepdims=True)
    log_sums = np.log(np.exp(logits - largest).sum(-1)) + largest[..., 0]
    return log_sums - np.take_along_axis(logits, labels[..., None], -1)[..., 0]


def keras_loss(reduction):
    return losses.SparseCategoricalCrossentropy(
        from_logits=True, reduction=reduction
    )


def test_mean_reduction_is_the_mean_over_members_and_examples():
    loss = keras_loss("sum_over_batch_size")
    value = mean_over_members(lambda x: loss(LABELS, x), ROWS, [True], 3)
    each = cross_entropy(LOGITS, np.stack([LABELS] * 3))
    np.testing.assert_allclose(value, each.mean(), rtol=1e-6)


def test_sum_reduction_does_not_grow_with_the_ensemble():
    loss = keras_loss("sum")
    value = mean_over_members(lambda x: loss(LABELS, x), ROWS, [True], 3)
    each = cross_entropy(LOGITS, np.stack([LABELS] * 3))
    np.testing.assert_allclose(value, each.sum() / 3, rtol=1e-6)


def test_loss_that_compares_examples_sees_one_member_at_a_time():
    value = mean_over_members(lambda x: ops.var(x[:, 0]), ROWS, [True], 3)
    expected = np.mean([member[:, 0].var() for member in LOGITS])
    np.testing.assert_allclose(value, expected, rtol=1e-6)
    assert abs(ROWS[:, 0].var() - expected) > 1e-4  # of all rows: another


def test_each_member_is_shown_once_and_in_order():
    seen = []

    def loss(outputs):
        seen.append(ops.convert_to_numpy(outputs))
        return ops.sum(outputs)

    mean_over_members(loss, ROWS, [True], 3)
    np.testing.assert_array_equal(np.stack(seen), LOGITS)


def test_outputs_of_the_shared_trunk_are_the_same_for_each_member():
    shared = np.arange(4.0, dtype="float32")

    def loss(outputs):
        assert outputs["members"].shape == (4, 5)
        assert outputs["shared"].shape == (4,)
        return ops.sum(outputs["shared"])

    outputs = {"members": ROWS, "shared": shared}
    value = mean_over_members(loss, outputs, [True, False], 3)
    assert float(value) == 6.0


def test_one_member_is_the_loss_itself():
    value = mean_over_members(lambda x: ops.sum(x), LOGITS[0], [True], 1)
    np.testing.assert_allclose(value, LOGITS[0].sum(), rtol=1e-5)


def test_flags_must_match_the_outputs():
    with pytest.raises(ValueError):
        mean_over_members(lambda x: ops.sum(x), ROWS, [True, True], 3)
