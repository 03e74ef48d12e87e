"""The distance to the k-th neighbour, searched and in a graph."""

import sys
import types

import keras
import numpy as np
import pytest
from keras import ops
from sklearn import neighbors

from keras_plex.scores import NearestNeighbors
from keras_plex.testing import JIT_COMPILE


def draw(examples=80, ensemble=2, dim=4, seed=0):
    generator = np.random.default_rng(seed)
    x = generator.normal(size=(examples, ensemble, dim)) + 1.0
    return x.astype("float32")


def fitted(x, **options):
    score = NearestNeighbors(**options)
    score.update(x)
    score.finish()
    return score


def unit(x):
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


def expected_distance(bank, points, k):
    """Mean over members, in float64, by a loop."""
    bank, points = unit(bank.astype("float64")), unit(points.astype("float64"))
    total = 0.0
    for member in range(bank.shape[1]):
        apart = points[:, None, member] - bank[None, :, member]
        total += np.sort(np.linalg.norm(apart, axis=-1), axis=-1)[:, k - 1]
    return total / bank.shape[1]


@pytest.mark.parametrize("k", [1, 7])
def test_it_is_the_distance_to_the_kth_neighbour(k):
    bank, points = draw(), draw(20, seed=1)
    found = fitted(bank, k=k)(points)
    expected = expected_distance(bank, points, k)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_one_member_is_that_of_scikit_learn():
    bank, points = draw(ensemble=1), draw(20, ensemble=1, seed=1)
    index = neighbors.NearestNeighbors(n_neighbors=5).fit(unit(bank[:, 0]))
    expected = index.kneighbors(unit(points[:, 0]))[0][:, -1]
    np.testing.assert_allclose(fitted(bank, k=5)(points), expected, rtol=1e-5)


def test_value_is_the_same_in_an_array_and_compiled():
    bank, points = draw(), draw(20, seed=1)
    # Its own neighbour, where 1 - similarity would be rounding alone.
    points = np.concatenate([points, bank[:3], bank[:3] * (1 + 1e-4)])
    score = fitted(bank, k=1)

    class Scorer(keras.layers.Layer):
        def call(self, features):
            return score(features)

    inputs = keras.Input((2, 4))
    model = keras.Model(inputs, Scorer()(inputs))
    for jit_compile in JIT_COMPILE[keras.config.backend()]:
        model.compile(jit_compile=jit_compile)
        found = model.predict(points, verbose=0)
        np.testing.assert_allclose(found, score(points), rtol=1e-5, atol=5e-7)
    assert isinstance(score(points), np.ndarray)
    assert ops.is_tensor(score(ops.convert_to_tensor(points)))


def test_k_is_at_most_the_bank():
    bank, points = draw(6), draw(5, seed=1)
    expected = expected_distance(bank, points, 6)
    for x in (points, ops.convert_to_tensor(points)):
        found = ops.convert_to_numpy(fitted(bank, k=50)(x))
        np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_bank_is_a_sample_by_seed_of_at_most_so_many():
    x = draw(200)
    one, same, other = (
        fitted(x, max_examples=20, seed=seed).parameters["bank"]
        for seed in (0, 0, 1)
    )
    assert one.shape == (2, 20, 4)
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()
    rows = {
        row.tobytes() for row in unit(x.astype("float64"))[:, 0].astype("f")
    }
    assert all(row.tobytes() in rows for row in one[0])


def test_zero_features_and_scale_have_a_value():
    bank = draw()
    score = fitted(bank)
    assert np.isfinite(score(np.zeros((1, 2, 4), "float32"))).all()
    np.testing.assert_allclose(score(3 * bank), score(bank), atol=1e-6)


def test_row_that_is_not_a_number_has_no_score():
    score = fitted(draw(), k=3)
    points = draw(3, seed=1)
    points[1, 0, 2] = np.nan
    for x in (points, ops.convert_to_tensor(points)):
        found = ops.convert_to_numpy(score(x))
        assert np.isnan(found).tolist() == [False, True, False]


def test_faiss_is_used_where_it_is_installed(monkeypatch):
    class IndexFlatL2:
        def __init__(self, dim):
            self.dim = dim

        def add(self, rows):
            self.rows = rows

        def search(self, x, k):
            searched.append(x.shape)
            square = np.sum((x[:, None] - self.rows) ** 2, axis=-1)
            order = np.argsort(square, axis=-1)[:, :k]
            return np.take_along_axis(square, order, axis=-1), order

    searched = []
    faiss = types.SimpleNamespace(IndexFlatL2=IndexFlatL2)
    monkeypatch.setitem(sys.modules, "faiss", faiss)
    bank, points = draw(), draw(20, seed=1)
    found = fitted(bank, k=3)(points)
    assert searched == [(20, 4), (20, 4)]
    expected = expected_distance(bank, points, 3)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


@pytest.mark.parametrize(
    "options",
    [{"k": 0}, {"k": 1.5}, {"max_examples": 0}, {"seed": -1}, {"seed": None}],
)
def test_wrong_options_are_errors(options):
    (name,) = options
    with pytest.raises(ValueError, match=f"`{name}` must be"):
        NearestNeighbors(**options)
