"""One pass gives what all of the data at once give."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import covariance

from keras_plex.scores.moments import Moments
from keras_plex.scores.moments import typical_variance
from keras_plex.scores.moments import whitening


def draw(examples=60, ensemble=2, dim=4, classes=3, offset=0.0):
    generator = np.random.default_rng(0)
    labels = generator.integers(0, classes, examples)
    noise = generator.normal(size=(examples, ensemble, dim))
    return noise + labels[:, None, None] + offset, labels


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    """Several merges in small data."""
    monkeypatch.setattr("keras_plex.scores.moments.BLOCK", 10)


def streamed(x, labels, cuts=()):
    moments = Moments(*x.shape[1:])
    for rows in np.split(np.arange(len(x)), sorted(cuts)):
        moments.update(x[rows], labels[rows])
    return moments


@given(st.lists(st.integers(0, 60), max_size=20))
def test_it_does_not_matter_how_the_data_are_cut(cuts):
    x, labels = draw()
    one, many = streamed(x, labels), streamed(x, labels, cuts)
    np.testing.assert_array_equal(many.counts, one.counts)
    np.testing.assert_allclose(many.class_means, one.class_means, rtol=1e-12)
    np.testing.assert_allclose(many.within, one.within, atol=1e-13)


@pytest.mark.parametrize("offset", [0.0, 1e7])
def test_one_pass_is_two_passes_however_far_from_zero(offset):
    x, labels = draw(offset=offset)
    moments = streamed(x, labels, range(0, 60, 7))
    for member in range(2):
        rows = x[:, member]
        # Centered first: its own sums would cancel, too.
        rows = rows - rows.mean(axis=0)
        means = np.stack([rows[labels == c].mean(axis=0) for c in range(3)])
        within = covariance.EmpiricalCovariance(assume_centered=True)
        within.fit(rows - means[labels])
        total = covariance.EmpiricalCovariance().fit(rows)
        tolerance = 1e-13 + 1e-15 * offset
        np.testing.assert_allclose(
            moments.within[member], within.covariance_, atol=tolerance
        )
        np.testing.assert_allclose(
            moments.total[member], total.covariance_, atol=tolerance
        )
        np.testing.assert_allclose(
            moments.class_means[member] - moments.mean[member],
            means,
            atol=10 * tolerance,
        )


def test_class_without_examples_is_left_out():
    x, labels = draw()
    gap = streamed(x, np.where(labels == 1, 7, labels))
    dense = streamed(x, labels)
    order = [0, 2, 1]
    np.testing.assert_allclose(
        gap.class_means, dense.class_means[:, order], atol=1e-13
    )
    np.testing.assert_allclose(gap.total, dense.total, atol=1e-13)


def test_empty_batch_changes_nothing():
    x, labels = draw()
    moments = streamed(x, labels, [0, 0, 30, 30])
    np.testing.assert_array_equal(
        moments.counts, np.bincount(labels).astype("float64")
    )


@pytest.mark.parametrize("ridge", [1e-6, 0.5])
def test_whitening_is_a_root_of_the_inverse(ridge):
    x = np.random.default_rng(0).normal(size=(40, 5))
    matrix = np.cov(x.T)
    found = whitening(matrix, ridge, scale=2.0)
    expected = np.linalg.inv(matrix + 2.0 * ridge * np.eye(5))
    np.testing.assert_allclose(found @ found.T, expected, rtol=1e-9, atol=1e-12)


def test_typical_variance_is_the_first_mean_variance_that_is_not_zero():
    zero = np.zeros((2, 2))
    assert typical_variance(np.diag([1.0, 3.0]), zero) == 2.0
    assert typical_variance(zero, np.diag([4.0, 0.0])) == 2.0
    assert typical_variance(zero, zero) == 1.0
