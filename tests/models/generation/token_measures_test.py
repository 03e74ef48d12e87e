"""Measures of tokens against a few lines of NumPy."""

import keras
import numpy as np

from keras_plex.models.generation.token_measures import measure_tokens
from keras_plex.ops.probabilities import MIXTURES


def random_log_probabilities(members=3, batch=2, length=4, vocabulary=5):
    generator = np.random.default_rng(0)
    shape = (members, batch, length, vocabulary)
    logits = 3 * generator.normal(size=shape)
    log_sum = np.log(np.exp(logits).sum(-1, keepdims=True))
    return (logits - log_sum).astype("float32")


def test_measures_are_those_of_numpy():
    x = random_log_probabilities()
    tokens = np.array([[0, 4, 2, 1], [0, 3, 3, 0]])
    found = measure_tokens(x, tokens)
    p = np.exp(x)
    mean = p.mean(0)
    entropy = -(mean * np.log(mean)).sum(-1)
    expected = -(p * x).sum(-1).mean(0)
    for example in range(2):
        for t in range(1, 4):
            # The distribution of token t stands one place before it.
            before = example, t - 1
            chosen = np.log(mean[before][tokens[example, t]])
            np.testing.assert_allclose(
                [keras.ops.convert_to_numpy(found[name])[example, t]
                 for name in ("entropy", "mutual_information",
                              "log_probability")],
                [entropy[before], entropy[before] - expected[before], chosen],
                atol=1e-5,
            )  # fmt: skip


def test_the_first_token_has_no_distribution():
    found = measure_tokens(random_log_probabilities(), np.zeros((2, 4), int))
    for x in found.values():
        np.testing.assert_array_equal(x[:, 0], [0.0, 0.0])


def test_equal_members_have_no_mutual_information():
    x = np.repeat(random_log_probabilities(members=1), 3, axis=0)
    found = measure_tokens(x, np.zeros((2, 4), int))
    np.testing.assert_allclose(found["mutual_information"], 0.0, atol=1e-5)
    assert float(keras.ops.max(found["entropy"])) > 0.1


def test_words_that_are_ruled_out_leave_the_measures_finite():
    x = np.full((2, 1, 2, 3), -np.inf, "float32")
    x[..., 0] = 0.0
    found = measure_tokens(x, np.zeros((1, 2), int))
    np.testing.assert_allclose(found["entropy"], 0.0, atol=1e-6)
    np.testing.assert_allclose(found["mutual_information"], 0.0, atol=1e-6)


def test_the_mixture_is_that_of_the_forecast():
    x = random_log_probabilities()
    tokens = np.array([[0, 4, 2, 1], [0, 3, 3, 0]])
    mixture = keras.ops.convert_to_numpy(MIXTURES["softmax_logits"](x, axis=0))
    rows = np.take_along_axis(mixture[:, :-1], tokens[:, 1:, None], -1)[..., 0]
    found = measure_tokens(x, tokens)["log_probability"]
    np.testing.assert_allclose(found[:, 1:], rows, atol=1e-5)
