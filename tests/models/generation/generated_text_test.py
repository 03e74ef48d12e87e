"""Arithmetic on what was generated."""

import numpy as np

from keras_plex.models.generation.generated_text import GeneratedText


def generated(log_probability, mask):
    zeros = np.zeros(np.shape(mask))
    return GeneratedText(
        text=None,
        token_ids=zeros.astype(int),
        generated=np.array(mask, bool),
        entropy=zeros,
        mutual_information=zeros,
        log_probability=np.array(log_probability),
    )


def test_sequence_log_probability_is_the_sum_over_tokens():
    found = generated(np.log([[1.0, 0.5, 0.25]]), [[0, 1, 1]])
    np.testing.assert_allclose(np.exp(found.sequence_log_probability), [0.125])


def test_confidence_does_not_depend_on_the_length():
    short = generated(np.log([[0.5, 1.0, 1.0, 1.0]]), [[1, 0, 0, 0]])
    long = generated(np.log([[0.5] * 4]), [[1] * 4])
    np.testing.assert_allclose(short.confidence, [0.5])
    np.testing.assert_allclose(long.confidence, [0.5])


def test_a_text_without_new_tokens_is_certain():
    found = generated([[0.0, 0.0]], [[0, 0]])
    np.testing.assert_array_equal(found.confidence, [1.0])


def test_one_text_gives_one_number():
    found = generated(np.log([0.5, 0.5]), [1, 1])
    assert np.shape(found.confidence) == ()
    np.testing.assert_allclose(found.confidence, 0.5)
