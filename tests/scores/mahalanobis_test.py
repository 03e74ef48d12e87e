"""The distance to the nearest class, against SciPy and scikit-learn."""

import keras
import numpy as np
import pytest
from keras import ops
from scipy.spatial import distance
from sklearn import covariance

from keras_plex.scores import Mahalanobis
from keras_plex.testing import JIT_COMPILE


def draw(examples=200, ensemble=1, dim=5, classes=3):
    generator = np.random.default_rng(0)
    labels = generator.integers(0, classes, examples)
    mixing = generator.normal(size=(dim, dim))
    noise = generator.normal(size=(examples, ensemble, dim)) @ mixing
    means = 3 * generator.normal(size=(classes, ensemble, dim))
    return (noise + means[labels]).astype("float32"), labels


def fitted(x, labels, **options):
    score = Mahalanobis(**options)
    score.update(x, labels)
    score.finish()
    return score


def test_rows_of_the_reference():
    root = np.sqrt(2.0)
    cross = np.array([[root, 0], [-root, 0], [0, root], [0, -root]])
    x = np.concatenate([cross - [1, 0], cross + [1, 0]])  # covariance I
    score = fitted(x, [0] * 4 + [1] * 4, ridge=0.0)
    points = np.array([[-1.0, 0.0], [1.0, 0.0], [10.0, 0.0]])
    np.testing.assert_allclose(score(points), [0, 0, 81], rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("ridge", [0.0, 1e-3, 0.1])
def test_one_member_is_scipy_with_the_covariance_of_scikit_learn(ridge):
    x, labels = draw()
    points = draw()[0][:20] + 1.0
    rows = x[:, 0].astype("float64")
    means = np.stack([rows[labels == c].mean(axis=0) for c in range(3)])
    model = covariance.EmpiricalCovariance(assume_centered=True)
    matrix = model.fit(rows - means[labels]).covariance_
    matrix = matrix + ridge * np.trace(matrix) / 5 * np.eye(5)
    expected = distance.cdist(
        points[:, 0].astype("float64"),
        means,
        "mahalanobis",
        VI=np.linalg.inv(matrix),
    )
    found = fitted(x, labels, ridge=ridge)(points)
    np.testing.assert_allclose(found, expected.min(axis=1) ** 2, rtol=1e-4)


def test_members_are_averaged_before_the_nearest_class_is_chosen():
    x, labels = draw(ensemble=2)
    points = x[:20] * 1.5
    distances = 0.0
    for member in range(2):
        rows = x[:, member].astype("float64")
        means = np.stack([rows[labels == c].mean(axis=0) for c in range(3)])
        inverse = np.linalg.inv(np.cov((rows - means[labels]).T, bias=True))
        apart = points[:, member, None] - means
        distances += np.einsum("bcd,df,bcf->bc", apart, inverse, apart) / 2
    found = fitted(x, labels, ridge=0.0)(points)
    np.testing.assert_allclose(found, distances.min(axis=1), rtol=1e-4)


def test_classes_far_apart_do_not_cancel():
    # Means 1e4 standard deviations apart: squares of 1e8 in float32.
    generator = np.random.default_rng(0)
    labels = np.arange(400) % 2
    x = generator.normal(size=(400, 3)) + 1e4 * labels[:, None]
    score = fitted(x, labels, ridge=0.0)
    rows = x.astype("float32").astype("float64")
    means = np.stack([rows[labels == c].mean(axis=0) for c in range(2)])
    inverse = np.linalg.inv(np.cov((rows - means[labels]).T, bias=True))
    apart = rows - means[labels]
    expected = np.einsum("bd,df,bf->b", apart, inverse, apart)
    found = score(x.astype("float32"))
    np.testing.assert_allclose(found, expected, rtol=0, atol=0.03)


DEGENERATE = {
    "collinear": lambda x: np.concatenate([x, x, 2 * x], axis=-1),
    "constant feature": lambda x: np.concatenate([x, 0 * x + 7], axis=-1),
    "more features than examples": lambda x: np.tile(x[:6], 5),
    "all constant": lambda x: 0 * x + 7,
    "one example": lambda x: x[:1],
}


@pytest.mark.parametrize("name", DEGENERATE)
def test_degenerate_features_give_finite_scores(name):
    x, labels = draw()
    x = DEGENERATE[name](x[:, 0])
    score = fitted(x, labels[: len(x)])
    near, far = score(x), score(x + 100.0 * np.arange(x.shape[-1]))
    assert np.isfinite(near).all() and np.isfinite(far).all()
    assert far.min() > near.max()


def test_copies_of_a_feature_change_nothing_but_the_scale():
    x, labels = draw()
    x = x[:, 0]
    order = np.argsort(fitted(x, labels, ridge=1e-6)(x))
    twice = np.concatenate([x, x], axis=-1)
    again = np.argsort(fitted(twice, labels, ridge=1e-6)(twice))
    assert np.mean(order == again) > 0.95


def test_absent_class_is_left_out():
    x, labels = draw()
    with_gap = fitted(x, np.where(labels == 2, 9, labels))
    np.testing.assert_allclose(
        with_gap(x), fitted(x, labels)(x), rtol=1e-5, atol=1e-6
    )


def test_value_is_the_same_in_an_array_and_compiled():
    x, labels = draw(ensemble=3)
    score = fitted(x, labels)

    class Scorer(keras.layers.Layer):
        def call(self, features):
            return score(features)

    inputs = keras.Input((3, 5))
    model = keras.Model(inputs, Scorer()(inputs))
    for jit_compile in JIT_COMPILE[keras.config.backend()]:
        model.compile(jit_compile=jit_compile)
        found = model.predict(x, verbose=0)
        np.testing.assert_allclose(found, score(x), rtol=1e-5, atol=1e-5)
    assert isinstance(score(x), np.ndarray)
    assert ops.is_tensor(score(ops.convert_to_tensor(x)))


def test_labels_are_needed():
    with pytest.raises(ValueError, match="fitted to labelled data"):
        Mahalanobis().update(np.ones((2, 3)))


@pytest.mark.parametrize("ridge", [-1e-3, np.inf, np.nan, "1", True])
def test_ridge_must_be_a_number_from_zero_on(ridge):
    with pytest.raises(ValueError, match="`ridge` must be a finite number"):
        Mahalanobis(ridge)
