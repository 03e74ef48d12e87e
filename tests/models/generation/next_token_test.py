"""The distribution that samplers see is the mean of the members'."""

import types

import keras
import numpy as np
import pytest
from keras import ops
from scipy import special

from keras_plex.models.generation.next_token import TINY
from keras_plex.models.generation.next_token import next_token_logits

MEMBERS, BATCH, WORDS = 3, 4, 50


def model(**attributes):
    defaults = {
        "ensemble_size": MEMBERS,
        "calibrator": None,
        "member_outputs": [True],
        "output_kinds": ["softmax_logits"],
        "warn_if_unsure": lambda: None,
    }
    return types.SimpleNamespace(**{**defaults, **attributes})


@pytest.fixture
def rows():
    generator = np.random.default_rng(0)
    return generator.normal(0.0, 4.0, (MEMBERS * BATCH, WORDS)).astype(
        "float32"
    )


def expected(rows):
    members = rows.reshape(MEMBERS, BATCH, WORDS).astype("float64")
    log_p = special.log_softmax(members, axis=-1)
    return special.logsumexp(log_p, axis=0) - np.log(MEMBERS)


def test_logits_are_those_of_the_mean_distribution(rows):
    found = ops.convert_to_numpy(next_token_logits(model(), rows))
    np.testing.assert_allclose(found, expected(rows), atol=1e-5)


def test_words_that_every_member_rules_out_stay_finite(rows):
    rows[:, 7] = -1e9  # as masks of attention and of samplers write it
    found = ops.convert_to_numpy(next_token_logits(model(), rows))
    assert np.isfinite(found).all()
    np.testing.assert_allclose(found[:, 7], np.log(TINY), rtol=1e-6)
    others = np.arange(WORDS) != 7
    np.testing.assert_allclose(
        found[:, others], expected(rows)[:, others], atol=1e-5
    )


def test_one_member_that_is_sure_of_a_word_is_heard(rows):
    rows[:, 3] = -1e9
    rows[:BATCH, 3] = 1e4
    found = ops.convert_to_numpy(next_token_logits(model(), rows))
    np.testing.assert_allclose(np.exp(found[:, 3]), 1 / MEMBERS, rtol=1e-6)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_is_mixed_in_float32(rows, dtype):
    half = ops.cast(rows, dtype)
    found = next_token_logits(model(), half)
    assert keras.backend.standardize_dtype(found.dtype) == dtype
    exact = expected(ops.convert_to_numpy(ops.cast(half, "float32")))
    limit = {"float16": 2**-10, "bfloat16": 2**-7}[dtype]  # of its rounding
    np.testing.assert_allclose(
        ops.convert_to_numpy(ops.cast(found, "float32")), exact, rtol=limit
    )


def test_a_model_without_members_passes_its_logits_on(rows):
    alone = model(ensemble_size=1, member_outputs=[False])
    found = ops.convert_to_numpy(next_token_logits(alone, rows))
    np.testing.assert_array_equal(found, rows)
