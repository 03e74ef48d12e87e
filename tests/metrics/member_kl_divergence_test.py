"""The mean divergence over ordered pairs of members."""

import numpy as np
import pytest

from keras_plex.metrics import MemberKLDivergence
from keras_plex.metrics import member_kl_divergence


def streamed(y_pred, **options):
    metric = MemberKLDivergence(**options)
    metric.update_state(np.zeros(len(y_pred)), y_pred)
    return float(metric.result())


@pytest.mark.parametrize("size", [2, 5])
def test_equals_the_loop_over_pairs(size):
    members = np.random.default_rng(0).dirichlet(np.ones(4), (20, size))
    pairs = [(i, j) for i in range(size) for j in range(size) if i != j]
    divergences = [
        (members[:, i] * np.log(members[:, i] / members[:, j])).sum(axis=-1)
        for i, j in pairs
    ]
    expected = np.mean(divergences)
    assert streamed(members) == pytest.approx(expected, abs=1e-5)
    assert streamed(np.log(members), from_logits=True) == pytest.approx(
        expected, abs=1e-5
    )
    assert member_kl_divergence(members) == pytest.approx(expected, abs=1e-5)


def test_nearly_equal_members_do_not_cancel():
    base = np.array([0.2, 0.3, 0.5])
    step = 1e-4 * np.array([1.0, -1.0, 0.0])
    members = np.stack([base + step, base - step])[None]
    p, q = members[0]
    expected = np.sum((p - q) * np.log(p / q)) / 2  # of both orders
    assert expected < 1e-6
    assert streamed(members) == pytest.approx(expected, rel=1e-2)


def test_large_logits_are_finite():
    logits = np.array([[[0.0, 200.0], [200.0, 0.0]]])
    assert streamed(logits, from_logits=True) == pytest.approx(200.0)


def test_is_infinite_where_one_member_excludes_a_class():
    assert streamed(np.array([[[1.0, 0.0], [0.5, 0.5]]])) == np.inf
    assert streamed(np.array([[[1.0, 0.0], [1.0, 0.0]]])) == 0.0
