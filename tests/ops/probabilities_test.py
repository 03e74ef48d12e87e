"""A mixture is the mean of probabilities; entropies split in two."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
from keras import ops

from keras_plex.ops.probabilities import OUTPUT_KINDS
from keras_plex.ops.probabilities import entropy
from keras_plex.ops.probabilities import log_probabilities
from keras_plex.ops.probabilities import mean_field_logits
from keras_plex.ops.probabilities import member_probabilities
from keras_plex.ops.probabilities import mix_members
from keras_plex.ops.probabilities import sigmoid_mixture
from keras_plex.ops.probabilities import softmax_mixture
from keras_plex.ops.probabilities import summarize_members

LOGITS = st.floats(-20, 20, width=32)


def softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def sigmoid(x):
    return 0.5 * (1.0 + np.tanh(0.5 * x))


def member_logits(seed=0, shape=(3, 5, 4), scale=5.0):
    return scale * np.random.default_rng(seed).normal(size=shape)


@pytest.mark.parametrize("axis", [0, 1])
def test_softmax_of_the_mixture_is_the_mean_of_the_softmaxes(axis):
    logits = member_logits()  # float64
    mixed = ops.convert_to_numpy(softmax_mixture(logits, axis=axis))
    np.testing.assert_allclose(
        softmax(mixed), softmax(logits).mean(axis=axis), rtol=1e-12
    )
    # It is more than a set of logits: the log-probabilities themselves.
    np.testing.assert_allclose(np.exp(mixed).sum(axis=-1), 1.0, rtol=1e-12)


@pytest.mark.parametrize("axis", [0, 1])
def test_sigmoid_of_the_mixture_is_the_mean_of_the_sigmoids(axis):
    logits = member_logits()
    mixed = ops.convert_to_numpy(sigmoid_mixture(logits, axis=axis))
    np.testing.assert_allclose(
        sigmoid(mixed), sigmoid(logits).mean(axis=axis), rtol=1e-10
    )


@settings(max_examples=25)
@given(rows=st.lists(st.tuples(LOGITS, LOGITS, LOGITS), min_size=1, max_size=4))
def test_two_class_softmax_and_sigmoid_mix_alike(rows):
    # sigmoid(z) is the second of softmax([0, z]).
    z = np.array(rows, "float64")  # (ensemble, 3)
    both = np.stack([np.zeros_like(z), z], axis=-1)
    pair = ops.convert_to_numpy(softmax_mixture(both, axis=0))
    one = ops.convert_to_numpy(sigmoid_mixture(z, axis=0))
    np.testing.assert_allclose(pair[..., 1] - pair[..., 0], one, atol=1e-9)


def test_one_hundred_equal_members_are_one():
    logits = np.tile(member_logits(shape=(1, 5, 4)), (100, 1, 1))
    mixed = ops.convert_to_numpy(softmax_mixture(logits, axis=0))
    np.testing.assert_allclose(softmax(mixed), softmax(logits[0]), rtol=1e-12)


@pytest.mark.parametrize("kind", ["softmax_logits", "sigmoid_logits"])
def test_extreme_logits_stay_finite_and_keep_half(kind):
    # One member is sure of class 0, the other of class 1.
    logits = np.array([[[1e4, -1e4]], [[-1e4, 1e4]]], "float32")
    mixed = ops.convert_to_numpy(mix_members(logits, kind, axis=0))
    assert np.isfinite(mixed).all()
    activation = softmax if kind == "softmax_logits" else sigmoid
    np.testing.assert_allclose(activation(mixed), [[0.5, 0.5]], rtol=1e-6)


@pytest.mark.parametrize("kind", ["softmax_logits", "sigmoid_logits"])
def test_members_sure_of_one_class_keep_finite_logits(kind):
    logits = np.array([[[1e4, -1e4]]] * 3, "float32")
    mixed = ops.convert_to_numpy(mix_members(logits, kind, axis=0))
    assert np.isfinite(mixed).all()
    assert mixed[0, 0] - mixed[0, 1] >= 1e4


@pytest.mark.parametrize("kind", ["probabilities", "regression"])
def test_the_other_kinds_are_plain_means(kind):
    x = np.array([[[0.8, 0.2]], [[0.4, 0.6]]], "float32")
    np.testing.assert_allclose(
        ops.convert_to_numpy(mix_members(x, kind, axis=0)),
        [[0.6, 0.4]],
        rtol=1e-6,
    )


@pytest.mark.parametrize("kind", OUTPUT_KINDS)
@pytest.mark.parametrize("dtype", ["bfloat16", "float32", "float64"])
def test_a_mixture_keeps_the_dtype(kind, dtype):
    x = ops.ones((2, 3, 4), dtype=dtype)
    assert ops.dtype(mix_members(x, kind, axis=0)) == dtype


def test_float64_members_are_mixed_in_float64():
    # The mean of 1/3 and 1/7 is 5/21.
    x = np.array([[[1 / 3]], [[1 / 7]]], "float64")
    mixed = ops.convert_to_numpy(mix_members(x, "regression", axis=0))
    np.testing.assert_allclose(mixed, [[5 / 21]], rtol=1e-14)


def test_a_hundred_bfloat16_members_are_summed_in_float32():
    # In bfloat16, 256 + 1 is 256: a running sum of ones would stop there.
    x = ops.ones((400, 1, 1), dtype="bfloat16")
    mixed = ops.cast(mix_members(x, "regression", axis=0), "float32")
    assert float(ops.convert_to_numpy(mixed)[0, 0]) == 1.0


def test_mean_field_divides_by_the_root_of_one_plus_factor_times_variance():
    # sqrt(1 + 2 * 1.5) = 2.
    logits = np.array([[4.0, -2.0], [0.0, 6.0]])
    scaled = mean_field_logits(logits, np.array([1.5, 0.0]), 2.0)
    np.testing.assert_allclose(
        ops.convert_to_numpy(scaled), [[2.0, -1.0], [0.0, 6.0]], rtol=1e-12
    )


def test_mean_field_takes_a_variance_per_class():
    scaled = mean_field_logits(
        np.array([[4.0, 4.0]]), np.array([[1.5, 0.0]]), 2.0
    )
    np.testing.assert_allclose(ops.convert_to_numpy(scaled), [[2.0, 4.0]])


def test_the_probit_factor_gives_the_mean_sigmoid_to_two_digits():
    # E[sigmoid(z)], z ~ N(m, v), by 200 000 draws, against sigmoid of the
    # mean-field logit with factor pi / 8.
    draws = np.random.default_rng(0).normal(size=200_000)
    for mean, variance in [(1.0, 1.0), (-2.0, 4.0), (0.5, 9.0)]:
        exact = sigmoid(mean + math.sqrt(variance) * draws).mean()
        approximate = mean_field_logits(
            np.array([[mean]]), np.array([variance]), math.pi / 8
        )
        approximate = sigmoid(ops.convert_to_numpy(approximate))
        assert abs(approximate[0, 0] - exact) < 0.015


def test_entropy_of_a_coin_is_ln_2_and_of_certainty_is_0():
    values = ops.convert_to_numpy(
        entropy(ops.convert_to_tensor([[0.5, 0.5], [1.0, 0.0], [0.25, 0.75]]))
    )
    expected = [
        math.log(2.0),
        0.0,
        0.25 * math.log(4.0) + 0.75 * math.log(4.0 / 3.0),
    ]
    np.testing.assert_allclose(values, expected, rtol=1e-6)
    assert not np.signbit(values[1])


@settings(max_examples=25)
@given(
    seed=st.integers(0, 1000),
    members=st.integers(1, 5),
    classes=st.integers(2, 6),
)
def test_information_splits_into_two_parts_that_are_not_negative(
    seed, members, classes
):
    shape = (7, members, classes)
    p = softmax(member_logits(seed, shape)).astype("float32")
    values = {
        name: ops.convert_to_numpy(value)
        for name, value in summarize_members(ops.convert_to_tensor(p)).items()
    }
    assert (values["expected_entropy"] >= 0).all()
    assert (values["mutual_information"] >= 0).all()
    assert (values["entropy"] <= math.log(classes) + 1e-5).all()
    np.testing.assert_allclose(
        values["entropy"],
        values["expected_entropy"] + values["mutual_information"],
        atol=1e-5,
    )


@settings(max_examples=25)
@given(votes=st.lists(st.integers(0, 3), min_size=2, max_size=6))
def test_disagreement_is_the_share_of_pairs_that_differ(votes):
    p = np.eye(4, dtype="float32")[votes][None]  # (1, members, 4)
    pairs = [
        votes[i] != votes[j]
        for i in range(len(votes))
        for j in range(len(votes))
        if i != j
    ]
    summary = summarize_members(ops.convert_to_tensor(p))
    value = ops.convert_to_numpy(summary["disagreement"])
    np.testing.assert_allclose(value, [np.mean(pairs)], atol=1e-6)


def test_member_probabilities_of_logits():
    x = np.array([[math.log(3.0), 0.0]])
    softmaxed = member_probabilities(ops.convert_to_tensor(x), "softmax_logits")
    np.testing.assert_allclose(
        ops.convert_to_numpy(softmaxed), [[0.75, 0.25]], rtol=1e-6
    )
    sigmoids = member_probabilities(ops.convert_to_tensor(x), "sigmoid_logits")
    np.testing.assert_allclose(
        ops.convert_to_numpy(sigmoids), [[0.75, 0.5]], rtol=1e-6
    )


@pytest.mark.parametrize("kind", ["sigmoid_logits", "probabilities"])
def test_one_unit_becomes_two_classes(kind):
    x = {"sigmoid_logits": math.log(3.0), "probabilities": 0.75}[kind]
    p = member_probabilities(ops.convert_to_tensor([[x]]), kind)
    np.testing.assert_allclose(
        ops.convert_to_numpy(p), [[0.25, 0.75]], rtol=1e-6
    )


@pytest.mark.parametrize("z", [0.5, 15.0, 17.0, 80.0])
def test_what_one_logit_leaves_the_other_class_is_not_rounded(z):
    logits = ops.convert_to_tensor([[[z]], [[-z]]])
    p = ops.convert_to_numpy(member_probabilities(logits, "sigmoid_logits"))
    rest = 1.0 / (1.0 + np.exp(np.float64(z)))
    np.testing.assert_allclose(p[0, 0, 0], rest, rtol=1e-5)
    np.testing.assert_array_equal(p[1, 0], p[0, 0, ::-1])
    log_p = ops.convert_to_numpy(log_probabilities(logits))
    np.testing.assert_allclose(log_p[0, 0], np.log(rest), rtol=1e-5)


def test_a_sigmoid_that_rounds_to_one_is_not_certain():
    p = member_probabilities(ops.convert_to_tensor([[1.0]]), "probabilities")
    np.testing.assert_array_equal(ops.convert_to_numpy(p), [[2.0**-25, 1.0]])


def test_log_probabilities_are_those_of_the_mixture():
    logits = np.random.default_rng(0).normal(size=(4, 3, 5)) * 40
    exact = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    found = log_probabilities(ops.convert_to_tensor(logits, "float32"))
    np.testing.assert_allclose(
        ops.convert_to_numpy(found), np.log(exact.mean(axis=1)), rtol=1e-5
    )


def test_regression_has_no_probabilities():
    with pytest.raises(ValueError, match="no class probabilities"):
        member_probabilities(ops.ones((2, 3)), "regression")


@pytest.mark.parametrize(
    "call",
    [
        lambda: mix_members(ops.ones((2, 3)), "softmax", axis=0),
        lambda: member_probabilities(ops.ones((2, 3)), "softmax"),
    ],
)
def test_an_unknown_output_kind_lists_the_kinds(call):
    with pytest.raises(ValueError) as error:
        call()
    assert "Unknown output kind: 'softmax'" in str(error.value)
    for kind in OUTPUT_KINDS:
        assert repr(kind) in str(error.value)
