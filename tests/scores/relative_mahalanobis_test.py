"""The relative distance, against its formula in NumPy."""

import keras
import numpy as np
import pytest

from keras_plex.scores import RelativeMahalanobis
from keras_plex.testing import JIT_COMPILE


def draw(ensemble=2, dim=4, examples=150):
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 3, examples)
    noise = generator.normal(size=(examples, ensemble, dim))
    means = 3 * generator.normal(size=(3, ensemble, dim))
    return (noise + means[labels]).astype("float32"), labels


def fitted(x, labels, **options):
    score = RelativeMahalanobis(**options)
    score.update(x, labels)
    score.finish()
    return score


def squared(points, mean, matrix, ridge):
    matrix = matrix + ridge * np.trace(matrix) / len(matrix) * np.eye(
        len(matrix)
    )
    apart = points - mean
    return np.einsum("bd,df,bf->b", apart, np.linalg.inv(matrix), apart)


@pytest.mark.parametrize("ridge", [0.0, 1e-2])
def test_it_is_the_mean_over_members_of_nearest_minus_background(ridge):
    x, labels = draw()
    points = x[:30] * 1.5
    expected = 0.0
    for member in range(2):
        rows = x[:, member].astype("float64")
        at = points[:, member].astype("float64")
        means = np.stack([rows[labels == c].mean(axis=0) for c in range(3)])
        within = np.cov((rows - means[labels]).T, bias=True)
        nearest = np.min(
            [squared(at, mean, within, ridge) for mean in means], axis=0
        )
        total = np.cov(rows.T, bias=True)
        background = squared(at, rows.mean(axis=0), total, ridge)
        expected += (nearest - background) / 2
    found = fitted(x, labels, ridge=ridge)(points)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


def test_with_one_class_there_is_nothing_relative():
    x, _ = draw()
    score = fitted(x, np.zeros(len(x)))
    np.testing.assert_allclose(score(x), 0.0, atol=1e-4)


def test_direction_in_which_all_vary_alike_counts_for_nothing():
    x, labels = draw(ensemble=1)
    # Of both signs for each example: without correlation to the others.
    x[..., -1] = np.abs(x[..., -1])
    mirrored = x * np.array([1.0, 1.0, 1.0, -1.0], "float32")
    x, labels = np.concatenate([x, mirrored]), np.tile(labels, 2)
    score = fitted(x, labels, ridge=0.0)
    moved = x.copy()
    moved[..., -1] += 20.0
    np.testing.assert_allclose(score(moved), score(x), atol=1e-3)


def test_value_is_the_same_in_an_array_and_compiled():
    x, labels = draw()
    score = fitted(x, labels)

    class Scorer(keras.layers.Layer):
        def call(self, features):
            return score(features)

    inputs = keras.Input((2, 4))
    model = keras.Model(inputs, Scorer()(inputs))
    for jit_compile in JIT_COMPILE[keras.config.backend()]:
        model.compile(jit_compile=jit_compile)
        found = model.predict(x, verbose=0)
        np.testing.assert_allclose(found, score(x), rtol=1e-5, atol=2e-5)


def test_constant_and_collinear_features_give_finite_scores():
    x, labels = draw(ensemble=1)
    x = np.concatenate([x, x, 0 * x + 5], axis=-1)
    assert np.isfinite(fitted(x, labels)(x)).all()
