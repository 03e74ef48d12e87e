"""Random features approximate the RBF kernel, orthogonal ones better."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
from keras import ops

from keras_plex.ops.random_features import cosine_features
from keras_plex.ops.random_features import normalize_last_axis
from keras_plex.ops.random_features import random_phase
from keras_plex.ops.random_features import random_projection


def rbf(x, y):
    squares = ((x[:, None] - y[None]) ** 2).sum(axis=-1)
    return np.exp(-squares / 2)


def kernel_errors(x, num_features, orthogonal, seed):
    """Errors of phi(x) phi(x)^T, in float64."""
    projection = random_projection(x.shape[1], num_features, orthogonal, seed)
    phase = random_phase(num_features, seed)
    features = ops.convert_to_numpy(cosine_features(x, projection, phase))
    return features @ features.T - rbf(x, x)


@pytest.mark.parametrize("orthogonal", [False, True])
def test_ten_thousand_features_give_the_rbf_kernel_to_5e_2(orthogonal):
    # The error of one entry is about 1 / sqrt(10 240) = 1e-2.
    x = np.random.default_rng(1).normal(size=(20, 128)) / np.sqrt(128)
    errors = kernel_errors(x, 10_240, orthogonal, seed=0)
    assert np.abs(errors).max() < 5e-2


@pytest.mark.parametrize("orthogonal", [False, True])
def test_the_features_are_unbiased(orthogonal):
    # The mean over 200 draws of 64 features has 12 800: sigma about 9e-3.
    x = np.random.default_rng(1).normal(size=(6, 8)) / np.sqrt(8)
    errors = [kernel_errors(x, 64, orthogonal, seed) for seed in range(200)]
    assert np.abs(np.mean(errors, axis=0)).max() < 4e-2


def test_orthogonal_features_need_fewer_for_the_same_error():
    # Dimension 16, 64 features, the mean square of 100 draws.
    x = np.random.default_rng(1).normal(size=(30, 16)) / np.sqrt(16)
    mean_square = {
        orthogonal: np.mean(
            [kernel_errors(x, 64, orthogonal, seed) ** 2 for seed in range(100)]
        )
        for orthogonal in (False, True)
    }
    assert mean_square[True] < 0.9 * mean_square[False]


@settings(max_examples=20)
@given(
    input_dim=st.integers(1, 9),
    num_features=st.integers(1, 40),
    seed=st.integers(0, 10**6),
)
def test_blocks_of_input_dim_columns_are_orthogonal(
    input_dim, num_features, seed
):
    w = random_projection(input_dim, num_features, True, seed)
    assert w.shape == (input_dim, num_features)
    for start in range(0, num_features, input_dim):
        block = w[:, start : start + input_dim]
        gram = block.T @ block
        np.testing.assert_allclose(gram, np.diag(np.diag(gram)), atol=1e-10)


def test_orthogonal_blocks_are_different_draws():
    w = random_projection(3, 9, True, seed=0)
    blocks = [w[:, :3], w[:, 3:6], w[:, 6:]]
    for i, j in [(0, 1), (0, 2), (1, 2)]:
        assert np.abs(blocks[i] - blocks[j]).max() > 0.1


@pytest.mark.parametrize("orthogonal", [False, True])
def test_each_column_is_marginally_standard_normal(orthogonal):
    # 40 000 entries: the mean has sigma 5e-3, the variance about 7e-3.
    w = random_projection(8, 5000, orthogonal, seed=0)
    assert abs(w.mean()) < 0.02
    assert abs(w.var() - 1.0) < 0.03
    assert abs((w**4).mean() - 3.0) < 0.2
    # Squared norms are chi-square: mean 8, variance 16.
    norms = (w**2).sum(axis=0)
    assert abs(norms.mean() - 8.0) < 0.25
    assert abs(norms.var() - 16.0) < 2.0


def test_phases_are_uniform_on_the_circle():
    phase = random_phase(10_000, seed=0)
    assert 0 <= phase.min() and phase.max() < 2 * np.pi
    assert abs(phase.mean() - np.pi) < 0.06  # sigma 0.018
    counts, _ = np.histogram(phase, bins=10, range=(0, 2 * np.pi))
    assert counts.min() > 850  # of 1000, sigma 30


@pytest.mark.parametrize("orthogonal", [False, True])
def test_a_seed_repeats_and_another_differs(orthogonal):
    one, same, other = (
        random_projection(4, 8, orthogonal, seed) for seed in (3, 3, 4)
    )
    np.testing.assert_array_equal(one, same)
    assert np.abs(one - other).max() > 0.1
    one, same, other = (random_phase(8, seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(one, same)
    assert np.abs(one - other).max() > 0.1


def test_phases_are_no_function_of_the_frequencies():
    # One stream for both would repeat the same numbers.
    normal = np.sort(random_projection(1, 100, False, seed=0)[0])
    phase = np.sort(random_phase(100, seed=0))
    correlated = np.random.default_rng([0, 0]).uniform(0, 2 * np.pi, size=100)
    assert not np.allclose(phase, np.sort(correlated))
    assert not np.allclose(normal, phase)


def test_one_feature_by_hand():
    # sqrt(2 / 1) cos(0 * 1 + 0) = sqrt(2); cos(pi) = -1.
    x = np.array([[0.0], [np.pi]])
    features = cosine_features(x, np.array([[1.0]]), np.array([0.0]))
    np.testing.assert_allclose(
        ops.convert_to_numpy(features), [[2**0.5], [-(2**0.5)]], rtol=1e-12
    )


def test_normalizing_gives_mean_0_and_variance_1():
    x = np.random.default_rng(0).normal(3.0, 5.0, size=(4, 6, 16))
    normalized = ops.convert_to_numpy(normalize_last_axis(x))
    np.testing.assert_allclose(normalized.mean(axis=-1), 0.0, atol=1e-10)
    np.testing.assert_allclose(normalized.var(axis=-1), 1.0, rtol=1e-5)


def test_a_constant_input_normalizes_to_zero():
    normalized = normalize_last_axis(np.full((2, 4), 7.0))
    np.testing.assert_array_equal(ops.convert_to_numpy(normalized), 0.0)
