"""The variance is that of Bayesian linear regression, row by row."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
from keras import ops

from keras_plex.layers.covariance_arguments import check_covariance_arguments
from keras_plex.layers.laplace_covariance import LaplaceCovariance


def normal(shape, seed=0):
    x = np.random.default_rng(seed).normal(size=shape)
    return x.astype("float32")


def make(size, **arguments):
    layer = LaplaceCovariance(**arguments)
    layer.build((None, size))
    return layer


def fitted(features, **arguments):
    layer = make(features.shape[-1], **arguments)
    layer.update(features)
    layer.refresh()
    return layer


def np64(x):
    return ops.convert_to_numpy(x).astype("float64")


def primal(train, test, ridge):
    """ridge * phi (ridge I + Phi^T Phi)^-1 phi^T, in float64."""
    train, test = np.float64(train), np.float64(test)
    precision = ridge * np.eye(train.shape[1]) + train.T @ train
    return ridge * np.einsum("nd,nd->n", test @ np.linalg.inv(precision), test)


def dual(train, test, ridge):
    """k(t, t) - k(t, X) (k(X, X) + ridge I)^-1 k(X, t) with k = phi phi^T."""
    train, test = np.float64(train), np.float64(test)
    inverse = np.linalg.inv(train @ train.T + ridge * np.eye(len(train)))
    across = test @ train.T
    return (test**2).sum(1) - np.einsum("tn,nm,tm->t", across, inverse, across)


@settings(max_examples=20)
@given(
    rows=st.integers(1, 30),
    size=st.integers(1, 8),
    ridge=st.floats(0.05, 20),
    seed=st.integers(0, 100),
)
def test_primal_and_dual_are_the_same_number(rows, size, ridge, seed):
    train, test = normal((rows, size), seed), normal((5, size), seed + 1)
    np.testing.assert_allclose(
        primal(train, test, ridge), dual(train, test, ridge), atol=1e-6
    )


@settings(max_examples=20)
@given(
    rows=st.integers(1, 30),
    size=st.integers(1, 8),
    ridge=st.floats(0.05, 20),
    seed=st.integers(0, 100),
)
def test_the_variance_is_that_of_bayesian_regression(rows, size, ridge, seed):
    train, test = normal((rows, size), seed), normal((5, size), seed + 1)
    variance = np64(fitted(train, ridge_penalty=ridge)(test))
    np.testing.assert_allclose(
        variance, primal(train, test, ridge), rtol=1e-4, atol=1e-6
    )


def test_three_times_one_direction_by_hand():
    # 1 / (1 + 3) along the direction seen, 1 / 1 along the other.
    layer = fitted(np.array([[1.0, 0.0]] * 3, "float32"))
    variance = np64(layer(np.eye(2, dtype="float32")))
    np.testing.assert_allclose(variance, [0.25, 1.0], rtol=1e-6)


@pytest.mark.parametrize("ridge", [0.25, 4.0])
def test_before_data_the_variance_is_the_prior_s(ridge):
    # ridge * phi (ridge I)^-1 phi = |phi|^2, whatever the ridge.
    layer = make(3, ridge_penalty=ridge)
    x = normal((4, 3))
    np.testing.assert_allclose(np64(layer(x)), (x**2).sum(1), rtol=1e-5)
    assert not np64(layer.precision).any()
    assert float(ops.convert_to_numpy(layer.has_data)) == 0.0


def test_more_data_never_raises_the_variance():
    layer, test = make(4), normal((20, 4), seed=9)
    before = np64(layer(test))
    for seed in range(5):
        layer.update(normal((3, 4), seed))
        layer.refresh()
        after = np64(layer(test))
        assert (after <= before + 1e-6).all()
        before = after


@settings(max_examples=15)
@given(cuts=st.lists(st.integers(0, 24), max_size=4), seed=st.integers(0, 50))
def test_batches_in_any_order_equal_one_batch(cuts, seed):
    features = normal((24, 3), seed)
    layer = make(3)
    pieces = np.split(features, sorted(cuts))
    for piece in reversed(pieces):
        layer.update(piece)
    np.testing.assert_allclose(
        np64(layer.precision), np64(features.T @ features), atol=1e-4
    )


def test_a_momentum_keeps_a_moving_average_of_batch_means():
    layer = make(2, momentum=0.75)
    # The mean of phi phi^T is 4 and then 8 in the first entry.
    layer.update(np.array([[2.0, 0.0]] * 5, "float32"))
    np.testing.assert_allclose(np64(layer.precision)[0, 0], 0.25 * 4)
    layer.update(np.array([[8.0**0.5, 0.0]] * 7, "float32"))
    np.testing.assert_allclose(
        np64(layer.precision)[0, 0], 0.75 * 1.0 + 0.25 * 8, rtol=1e-6
    )


def test_a_momentum_leaves_the_ridge_whole():
    # The reference multiplies it by 0.5 ** 100 and cannot invert.
    layer = make(2, momentum=0.5, ridge_penalty=2.0)
    for _ in range(100):
        layer.update(np.array([[1.0, 0.0]], "float32"))
    layer.refresh()
    # 2 / (2 + 1) along the direction seen, 2 / 2 along the other.
    variance = np64(layer(np.eye(2, dtype="float32")))
    np.testing.assert_allclose(variance, [2 / 3, 1.0], rtol=1e-5)


def test_each_example_is_as_if_it_came_alone():
    layer, test = fitted(normal((9, 4))), normal((6, 4), seed=1)
    alone = np.concatenate([np64(layer(row[None])) for row in test])
    np.testing.assert_allclose(np64(layer(test)), alone, rtol=1e-5)


def test_axes_between_are_rows_too():
    features = normal((2, 5, 3))
    layer, flat = fitted(features), fitted(features.reshape(10, 3))
    np.testing.assert_allclose(np64(layer.root), np64(flat.root), rtol=1e-6)
    variance = np64(layer(features))
    assert variance.shape == (2, 5)
    np.testing.assert_allclose(
        variance.reshape(10), np64(flat(features.reshape(10, 3))), rtol=1e-5
    )


def test_update_alone_changes_no_variance_and_refresh_does():
    layer, test = make(3), normal((4, 3), seed=1)
    before = np64(layer(test))
    layer.update(normal((8, 3)))
    np.testing.assert_array_equal(np64(layer(test)), before)
    layer.refresh()
    assert (np64(layer(test)) < before).all()


def test_reset_alone_changes_no_variance_and_refresh_then_forgets():
    layer, test = fitted(normal((8, 3))), normal((4, 3), seed=1)
    before = np64(layer(test))
    layer.reset()
    np.testing.assert_array_equal(np64(layer(test)), before)
    assert float(ops.convert_to_numpy(layer.has_data)) == 1.0
    layer.refresh()
    np.testing.assert_allclose(np64(layer(test)), (test**2).sum(1), rtol=1e-5)
    assert float(ops.convert_to_numpy(layer.has_data)) == 0.0


BAD = [np.nan, np.inf, -np.inf]


def poisoned(clean, bad):
    """The clean rows with two bad ones between them."""
    row = np.full((1, clean.shape[1]), bad, "float32")
    half = row.copy()
    half[0, 1:] = 1.0
    return np.concatenate([clean[:2], row, clean[2:], half])


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("momentum", [None, 0.9])
def test_rows_that_are_not_finite_leave_the_clean_precision(bad, momentum):
    clean = normal((6, 3))
    layer, other = (make(3, momentum=momentum) for _ in range(2))
    layer.update(poisoned(clean, bad))
    other.update(clean)
    # The sums may be taken in another order.
    np.testing.assert_allclose(
        np64(layer.precision), np64(other.precision), rtol=1e-6, atol=1e-6
    )
    assert float(ops.convert_to_numpy(layer.skipped_rows)) == 2.0


@pytest.mark.parametrize("momentum", [None, 0.9])
def test_a_batch_of_bad_rows_changes_nothing(momentum):
    layer = make(3, momentum=momentum)
    layer.update(normal((6, 3)))
    before = np64(layer.precision)
    layer.update(np.full((4, 3), np.nan, "float32"))
    np.testing.assert_array_equal(np64(layer.precision), before)


def test_bad_rows_are_warned_about_once_with_their_number():
    layer = make(3, name="laplace_covariance")
    layer.update(poisoned(normal((6, 3)), np.nan))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        layer.refresh()
        layer.update(poisoned(normal((6, 3)), np.nan))
        layer.refresh()
    (warning,) = caught
    assert str(warning.message) == (
        "2 rows with NaN or infinite features reached 'laplace_covariance' "
        "and were left out of its precision matrix. Check the inputs and the "
        "learning rate."
    )
    assert float(ops.convert_to_numpy(layer.skipped_rows)) == 0.0


def test_bad_rows_of_padding_are_left_out_without_a_warning():
    layer = make(3)
    rows = poisoned(normal((6, 3)), np.nan)
    layer.update(rows, mask=np.isfinite(rows).all(-1))
    assert float(ops.convert_to_numpy(layer.skipped_rows)) == 0.0


def test_the_sum_over_a_long_epoch_stays_exact_enough():
    # 200 batches of 500 rows: float32 sums against float64.
    generator = np.random.default_rng(0)
    layer, total = make(8), np.zeros((8, 8))
    for _ in range(200):
        batch = generator.normal(1.0, 1.0, (500, 8)).astype("float32")
        total += np.float64(batch).T @ np.float64(batch)
        layer.update(batch)
    np.testing.assert_allclose(np64(layer.precision), total, rtol=1e-4)


@pytest.mark.parametrize("ridge", [1e-3, 1e-6])
def test_a_small_ridge_on_much_data_of_low_rank_can_be_inverted(ridge):
    # 1e-3 is the paper's ridge, 1e-6 the TensorFlow reference's. Rounding of
    # the float32 sum makes eigenvalues of about -1e-7 times the largest.
    generator = np.random.default_rng(0)
    layer = make(64, ridge_penalty=ridge)
    directions = generator.normal(size=(4, 64)) / 8
    for _ in range(20):
        rows = generator.normal(size=(1000, 4)) @ directions
        layer.update(rows.astype("float32"))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        layer.refresh()
    # Below the rounding it takes a larger diagonal, and says so.
    said = [w for w in caught if "positive definite only" in str(w.message)]
    assert len(said) == (ridge < 1e-5)
    assert np.isfinite(np64(layer.root)).all()
    near = np64(layer(directions.astype("float32")))
    far = np64(layer(normal((4, 64), seed=5)))
    assert near.max() < 0.01 * far.min()


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "bfloat16", "float64"])
def test_all_state_is_float32_under_any_policy(policy):
    layer = make(3, dtype=policy)
    assert {weight.dtype for weight in layer.weights} == {"float32"}


def test_statistics_are_not_trained():
    layer = make(3)
    assert not layer.trainable_weights
    assert sorted(weight.name for weight in layer.weights) == [
        "has_data",
        "precision",
        "root",
        "skipped_rows",
    ]


@pytest.mark.parametrize("ridge", [0, 0.0, -1.0, float("nan")])
def test_a_ridge_that_is_not_positive_raises(ridge):
    with pytest.raises(ValueError) as error:
        LaplaceCovariance(ridge_penalty=ridge)
    assert "`ridge_penalty` must be positive" in str(error.value)
    assert f"ridge_penalty={ridge!r}" in str(error.value)


@pytest.mark.parametrize("momentum", [0, 1, 1.0, -0.5, 2, float("nan")])
def test_a_momentum_outside_0_to_1_raises(momentum):
    with pytest.raises(ValueError) as error:
        LaplaceCovariance(momentum=momentum)
    assert "`momentum` must be `None`" in str(error.value)
    assert f"momentum={momentum!r}" in str(error.value)


@pytest.mark.parametrize("arguments", [("1", None), (None, None), (1.0, "x")])
def test_an_argument_of_the_wrong_type_raises_a_value_error(arguments):
    with pytest.raises(ValueError, match="must be"):
        check_covariance_arguments(*arguments)


# A covariance for each class.


def classwise_reference(rows, weights, test, ridge=1.0):
    """phi (I + sum_i w_ic phi_i phi_i^T / ridge)^-1 phi^T, class by class."""
    rows, test = np.float64(rows), np.float64(test)
    found = []
    for weight in np.float64(weights).T:
        precision = np.eye(rows.shape[1]) + (rows.T * weight) @ rows / ridge
        solved = np.linalg.solve(precision, test.T)
        found.append(np.einsum("nd,dn->n", test, solved))
    return np.stack(found, axis=-1)


def random_weights(*shape, seed=5):
    draws = np.random.default_rng(seed).uniform(size=shape)
    return draws.astype("float32")


@pytest.mark.parametrize("chunk", [1, 8, 65_536])
@pytest.mark.parametrize("ridge", [0.5, 1.0])
def test_each_class_has_its_weighted_posterior(ridge, chunk, monkeypatch):
    monkeypatch.setattr(
        "keras_plex.layers.laplace_covariance.CHUNK_ELEMENTS", chunk
    )
    rows, test = normal((30, 4)), normal((6, 4), seed=1)
    weights = random_weights(30, 5)
    layer = LaplaceCovariance(ridge, num_classes=5)
    layer.build((None, 4))
    layer.update(rows[:10], weights=weights[:10])
    layer.update(rows[10:], weights=weights[10:])
    layer.refresh()
    np.testing.assert_allclose(
        ops.convert_to_numpy(layer(test)),
        classwise_reference(rows, weights, test, ridge),
        rtol=1e-4,
    )


def test_a_class_axis_comes_last_also_for_sequences():
    layer = LaplaceCovariance(num_classes=5)
    layer.build((None, 4))
    layer.update(normal((3, 2, 4)), weights=random_weights(3, 2, 5))
    layer.refresh()
    found = layer(normal((3, 2, 4)))
    assert tuple(found.shape) == (3, 2, 5)
    assert layer.compute_output_shape((3, 2, 4)) == (3, 2, 5)


def test_weights_count_rows():
    # A row of weight 2 is the row twice.
    rows = normal((4, 3))
    one, two = LaplaceCovariance(), LaplaceCovariance()
    for layer in (one, two):
        layer.build((None, 3))
    one.update(rows, weights=np.array([2.0, 1.0, 1.0, 0.0], "float32"))
    two.update(np.concatenate([rows[:1], rows[:3]]))
    np.testing.assert_allclose(
        ops.convert_to_numpy(one.precision),
        ops.convert_to_numpy(two.precision),
        rtol=1e-6,
    )


def test_rows_with_a_weight_that_is_no_number_are_left_out():
    rows = normal((4, 3))
    weights = np.array([1.0, np.nan, 1.0, np.inf], "float32")
    one, two = LaplaceCovariance(), LaplaceCovariance()
    for layer in (one, two):
        layer.build((None, 3))
    one.update(rows, weights=weights)
    two.update(rows[[0, 2]])
    # Two rows and four, two of them 0, are summed in another order.
    np.testing.assert_allclose(
        ops.convert_to_numpy(one.precision),
        ops.convert_to_numpy(two.precision),
        rtol=1e-6,
    )
    with pytest.warns(UserWarning, match="2 rows with NaN"):
        one.refresh()


def test_a_prior_precision_replaces_that_of_the_unit_prior():
    rows, test = np.float64(normal((30, 4))), np.float64(normal((6, 4), seed=1))
    layer = LaplaceCovariance()
    layer.build((None, 4))
    layer.update(rows)
    layer.refresh(prior_precision=7.0)
    covariance = np.linalg.inv(7 * np.eye(4) + rows.T @ rows)
    np.testing.assert_allclose(
        ops.convert_to_numpy(layer(test)),
        np.einsum("nd,de,ne->n", test, covariance, test),
        rtol=1e-4,
    )


def test_a_state_too_large_is_refused_before_it_is_made():
    layer = LaplaceCovariance(num_classes=21_843)
    with pytest.raises(ValueError, match="171 GiB"):
        layer.build((None, 1024))
    assert layer.weights == []


def test_a_classwise_momentum_averages_batches():
    rows, weights = normal((6, 3)), random_weights(6, 2)
    layer = LaplaceCovariance(momentum=0.5, num_classes=2)
    layer.build((None, 3))
    layer.update(rows, weights=weights)
    expected = [0.5 * (np.float64(rows).T * w) @ rows / 6 for w in weights.T]
    np.testing.assert_allclose(
        ops.convert_to_numpy(layer.precision), expected, rtol=1e-5, atol=1e-6
    )


# Rows of the reference implementations.


def test_orthonormal_features_give_one_plus_the_ridge():
    # 256 x 128 with orthonormal columns: P = I, and I + P / ridge.
    square = np.random.default_rng(0).normal(size=(256, 128))
    features = np.linalg.qr(square)[0].astype("float32")
    layer = fitted(features, ridge_penalty=0.32)
    np.testing.assert_allclose(np64(layer.precision), np.eye(128), atol=1e-5)
    expected = 0.32 / (1 + 0.32)  # of a unit feature
    np.testing.assert_allclose(
        np64(layer(np.eye(128, dtype="float32"))), expected, rtol=1e-5
    )


def test_a_momentum_converges_to_the_mean_of_squares():
    rows = normal((256, 4))
    layer = make(4, momentum=0.99)
    for start in range(0, 50 * 256, 32):
        layer.update(rows[start % 256 :][:32])
    exact = np.float64(rows).T @ rows
    scale = np.diag(exact).mean()
    np.testing.assert_allclose(
        256 * np64(layer.precision), exact, rtol=5e-2, atol=5e-2 * scale
    )
