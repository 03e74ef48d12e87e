"""Each score is its formula, in NumPy and in a compiled graph."""

import types

import keras
import numpy as np
import pytest

from keras_plex.predictions import Predictions
from keras_plex.predictions import prediction_fields
from keras_plex.scores import SCORES
from keras_plex.scores import needs_features
from keras_plex.scores import score
from keras_plex.testing import JIT_COMPILE

NAMES = [name for name in SCORES if not needs_features(name)]

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


@pytest.mark.parametrize("name", NAMES)
def test_higher_is_more_uncertain(name):
    sure, unsure, _ = score(name)(make_predictions())
    assert unsure >= sure - 1e-6


@pytest.mark.parametrize("name", NAMES)
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
    for jit_compile in JIT_COMPILE[keras.config.backend()]:
        model.compile(jit_compile=jit_compile)
        compiled = model.predict([LOGITS, VARIANCE], verbose=0)
        np.testing.assert_allclose(compiled, eager, atol=1e-6)


@pytest.mark.parametrize("name", ["max_logit", "energy"])
def test_scores_of_logits_say_what_to_do_without_them(name):
    predictions = Predictions.from_outputs([[0.5, 0.5]], "probabilities")
    with pytest.raises(ValueError, match='no activation, or use .* "msp"'):
        score(name)(predictions)


def test_variance_without_a_head_says_how_to_get_one():
    with pytest.raises(ValueError, match='plexify.model, head="gp"'):
        score("variance")(make_predictions(variance=None))


def test_energy_is_minus_the_logsumexp_of_the_mean_logits():
    mean = LOGITS.astype("float64").mean(axis=1)
    expected = -np.log(np.exp(mean).sum(axis=-1))
    np.testing.assert_allclose(
        score("energy")(make_predictions()), expected, rtol=1e-6
    )


@pytest.mark.parametrize("name", ["max_logit", "energy"])
def test_one_logit_counts_alike_for_both_classes(name):
    logits = np.array([[-4.0], [4.0], [1.0], [0.0]], "float32")
    predictions = Predictions.from_outputs(logits, "sigmoid_logits")
    sure, also_sure, less, unsure = score(name)(predictions)
    assert sure == also_sure < less < unsure
    assert unsure == pytest.approx(-np.log(2) if name == "energy" else 0.0)


def test_margin_is_one_minus_the_gap_of_the_best_two():
    predictions = Predictions.from_outputs(
        [[0.5, 0.25, 0.25], [0.5, 0.5, 0.0], [1.0, 0.0, 0.0]], "probabilities"
    )
    np.testing.assert_allclose(score("margin")(predictions), [0.75, 1.0, 0.0])


@pytest.mark.parametrize("name", ["margin", "generalized_entropy"])
def test_saturated_forecasts_still_rank(name):
    logits = np.array([[20.0, 0, 0], [25.0, 0, 0], [30.0, 0, 0]], "float32")
    predictions = make_predictions(logits, variance=None)
    assert (predictions.confidence == 1).all()
    assert (np.diff(score(name)(predictions)) < 0).all()


def test_generalized_entropy_ranks_probabilities_below_the_smallest_float():
    logits = np.array([[150.0, 0, 0], [160.0, 0, 0]], "float32")
    unsure, sure = score("generalized_entropy")(make_predictions(logits, None))
    # log p = -150 and log(1 - p) = log 2 - 150 for the largest.
    expected = 2 * np.exp(-15.0) + np.exp(0.1 * (np.log(2) - 150))
    assert unsure == pytest.approx(expected, rel=1e-4)
    assert sure < unsure


@pytest.mark.parametrize("kind", ["softmax_logits", "probabilities"])
@pytest.mark.parametrize("classes", [2, 5, 130])
def test_generalized_entropy_is_its_formula(kind, classes):
    logits = np.random.default_rng(0).normal(size=(6, 3, classes))
    p = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
    outputs = p if kind == "probabilities" else logits
    largest = np.sort(p.mean(axis=1), axis=-1)[:, -100:]
    expected = np.sum(largest**0.1 * (1 - largest) ** 0.1, axis=-1)
    predictions = Predictions.from_outputs(outputs, kind)
    np.testing.assert_allclose(
        score("generalized_entropy")(predictions), expected, rtol=1e-5
    )


def test_generalized_entropy_of_one_logit_is_that_of_two_classes():
    logit = np.linspace(-3, 3, 6).reshape(3, 2, 1)
    p = 1 / (1 + np.exp(-logit))
    both = Predictions.from_outputs(
        np.concatenate([1 - p, p], axis=-1), "probabilities"
    )
    one = Predictions.from_outputs(logit, "sigmoid_logits")
    function = score("generalized_entropy")
    np.testing.assert_allclose(function(one), function(both), rtol=1e-5)


def test_generalized_entropy_of_a_certain_forecast_is_zero():
    predictions = Predictions.from_outputs([[0.0, 1.0, 0.0]], "probabilities")
    assert score("generalized_entropy")(predictions) == pytest.approx(0.0)


def test_disagreement_is_that_of_the_predictions():
    predictions = make_predictions()
    np.testing.assert_array_equal(
        score("disagreement")(predictions), predictions.disagreement
    )


@pytest.mark.parametrize("kind", ["softmax_logits", "probabilities"])
@pytest.mark.parametrize(
    "name", ["msp", "margin", "entropy", "generalized_entropy", "disagreement"]
)
def test_a_forecast_that_is_not_a_number_has_no_score(name, kind):
    outputs = np.full((2, 2, 3), 1 / 3)
    outputs[0] = np.nan
    found = score(name)(Predictions.from_outputs(outputs, kind))
    assert np.isnan(found).tolist() == [True, False]


def test_generalized_entropy_is_that_of_a_calibrated_forecast():
    calibrated = np.array([[0.98, 0.01, 0.01], [0.4, 0.3, 0.3]], "float32")
    predictions = Predictions.from_outputs(
        np.zeros((2, 2, 3)), "softmax_logits", probabilities=calibrated
    )
    alone = Predictions.from_outputs(calibrated, "probabilities")
    np.testing.assert_allclose(
        score("generalized_entropy")(predictions),
        score("generalized_entropy")(alone),
        rtol=1e-6,
    )
