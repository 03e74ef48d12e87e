"""Each score is its formula, in NumPy and in a compiled graph."""

import types

import keras
import numpy as np
import pytest

from keras_plex.predictions import Predictions
from keras_plex.predictions import prediction_fields
from keras_plex.scores import SCORES
from keras_plex.scores import score

# Two members, three classes: sure, unsure, members that disagree.
LOGITS = np.array(
    [
        [[9.0, 0.0, 0.0], [9.0, 0.0, 0.0]],
        [[0.0, 0.0, 0.0], [0.0, 0.0, 0.0]],
        [[9.0, 0.0, 0.0], [0.0, 9.0, 0.0]],
    ],
    "float32",
)
VARIANCE = np.array([0.1, 0.5, 0.3], "float32")


def make_predictions(logits=LOGITS, variance=VARIANCE):
    return Predictions.from_outputs(logits, "softmax_logits", variance=variance)


def test_msp_is_one_minus_the_largest_probability():
    predictions = make_predictions()
    np.testing.assert_allclose(
        score("msp")(predictions), 1 - predictions.confidence, atol=1e-6
    )


def test_msp_ranks_forecasts_whose_largest_probability_rounds_to_one():
    logits = np.array([[20.0, 0.0], [22.0, 0.0]], "float32")
    predictions = make_predictions(logits, variance=None)
    assert (predictions.confidence == 1).all()
    unsure, sure = score("msp")(predictions)
    assert unsure == pytest.approx(np.exp(-20), rel=1e-5)
    assert sure == pytest.approx(np.exp(-22), rel=1e-5)


def test_msp_of_equal_probabilities_leaves_one_out():
    predictions = make_predictions(np.zeros((1, 4)), variance=None)
    np.testing.assert_allclose(score("msp")(predictions), [0.75])


def test_entropy_of_a_uniform_forecast_is_the_logarithm_of_the_classes():
    assert score("entropy")(make_predictions())[1] == pytest.approx(np.log(3))


def test_max_logit_averages_the_members_first():
    np.testing.assert_allclose(
        score("max_logit")(make_predictions()), [-9.0, 0.0, -4.5]
    )


def test_mutual_information_is_highest_where_members_disagree():
    values = score("mutual_information")(make_predictions())
    assert values.argmax() == 2
    np.testing.assert_allclose(values[:2], 0.0, atol=1e-6)


def test_variance_is_that_of_the_head():
    np.testing.assert_array_equal(
        score("variance")(make_predictions()), VARIANCE
    )


@pytest.mark.parametrize("name", SCORES)
def test_higher_is_more_uncertain(name):
    sure, unsure, _ = score(name)(make_predictions())
    assert unsure >= sure - 1e-6


@pytest.mark.parametrize("name", SCORES)
def test_a_score_is_the_same_eager_and_compiled(name):
    class Scorer(keras.layers.Layer):
        def call(self, logits, variance):
            fields = prediction_fields(
                logits, "softmax_logits", variance=variance
            )
            return score(name)(types.SimpleNamespace(**fields))

    logits = keras.Input((2, 3))
    variance = keras.Input(())
    model = keras.Model([logits, variance], Scorer()(logits, variance))
    eager = score(name)(make_predictions())
    assert isinstance(eager, np.ndarray) and eager.shape == (3,)
    for jit_compile in (False, True):
        model.compile(jit_compile=jit_compile)
        compiled = model.predict([LOGITS, VARIANCE], verbose=0)
        np.testing.assert_allclose(compiled, eager, atol=1e-6)


def test_max_logit_of_probabilities_says_what_to_do():
    predictions = Predictions.from_outputs([[0.5, 0.5]], "probabilities")
    with pytest.raises(ValueError, match='no activation, or use .* "msp"'):
        score("max_logit")(predictions)


def test_variance_without_a_head_says_how_to_get_one():
    with pytest.raises(ValueError, match='plexify.model, head="gp"'):
        score("variance")(make_predictions(variance=None))


def test_an_unknown_score_lists_those_that_exist():
    with pytest.raises(ValueError, match="Unknown score: 'best'.*'msp'"):
        score("best")
