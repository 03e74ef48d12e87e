"""Forecasts and uncertainties of members that one can check by eye."""

import dataclasses
import math

import numpy as np
import pytest

from keras_plex.predictions import Predictions

LN2 = math.log(2.0)

# Two members, three examples: they agree and are sure, agree that it is a
# coin flip, are sure of opposite labels.
MEMBERS = np.array(
    [
        [[1.0, 0.0], [1.0, 0.0]],
        [[0.5, 0.5], [0.5, 0.5]],
        [[1.0, 0.0], [0.0, 1.0]],
    ]
)


@pytest.fixture
def predictions():
    return Predictions.from_outputs(MEMBERS, "probabilities")


def test_the_forecast_is_the_mean_of_the_probabilities(predictions):
    np.testing.assert_allclose(
        predictions.probabilities, [[1.0, 0.0], [0.5, 0.5], [0.5, 0.5]]
    )
    np.testing.assert_allclose(predictions.member_probabilities, MEMBERS)
    assert predictions.labels.tolist() == [0, 0, 0]
    assert predictions.confidence.tolist() == [1.0, 0.5, 0.5]


def test_only_opposite_members_have_mutual_information(predictions):
    for name, expected in {
        "entropy": [0.0, LN2, LN2],
        "expected_entropy": [0.0, LN2, 0.0],
        "mutual_information": [0.0, 0.0, LN2],
        "disagreement": [0.0, 0.0, 1.0],
    }.items():
        np.testing.assert_allclose(
            getattr(predictions, name), expected, atol=1e-6, err_msg=name
        )


def test_all_is_numpy_and_counts_the_examples(predictions):
    assert len(predictions) == 3
    for field in dataclasses.fields(predictions):
        value = getattr(predictions, field.name)
        assert value is None or isinstance(value, np.ndarray), field.name


def test_logits_are_kept_and_averaged_after_the_softmax():
    # softmax([ln 3, 0]) = [3/4, 1/4] and softmax([0, 0]) = [1/2, 1/2].
    logits = np.array([[[math.log(3.0), 0.0], [0.0, 0.0]]])
    predictions = Predictions.from_outputs(logits, "softmax_logits")
    np.testing.assert_allclose(
        predictions.probabilities, [[5 / 8, 3 / 8]], rtol=1e-6
    )
    np.testing.assert_allclose(predictions.member_logits, logits, rtol=1e-6)


def test_one_sigmoid_unit_becomes_two_classes():
    # sigmoid(ln 3) = 3/4 is the probability of class 1.
    logits = np.array([[math.log(3.0)]])
    predictions = Predictions.from_outputs(logits, "sigmoid_logits")
    np.testing.assert_allclose(
        predictions.probabilities, [[1 / 4, 3 / 4]], rtol=1e-6
    )
    assert predictions.labels.tolist() == [1]


def test_an_output_without_ensemble_axis_is_one_member():
    predictions = Predictions.from_outputs(MEMBERS[:, 0], "probabilities")
    assert predictions.member_probabilities.shape == (3, 1, 2)
    assert predictions.disagreement.tolist() == [0.0, 0.0, 0.0]
    assert predictions.mutual_information.tolist() == [0.0, 0.0, 0.0]


def test_the_variance_is_the_mean_over_members():
    variance = np.array([[1.0, 3.0], [0.0, 0.0], [2.0, 2.0]])
    predictions = Predictions.from_outputs(
        MEMBERS, "probabilities", variance=variance
    )
    assert predictions.variance.tolist() == [2.0, 0.0, 2.0]
    one = Predictions.from_outputs(
        MEMBERS, "probabilities", variance=np.array([1.0, 0.0, 2.0])
    )
    assert one.variance.tolist() == [1.0, 0.0, 2.0]


def test_variance_features_and_logits_are_none_without_them(predictions):
    assert predictions.variance is None
    assert predictions.features is None
    assert predictions.member_logits is None


def test_features_go_through_as_they_are():
    features = np.arange(12.0).reshape(3, 2, 2)
    predictions = Predictions.from_outputs(
        MEMBERS, "probabilities", features=features
    )
    np.testing.assert_array_equal(predictions.features, features)


def test_forecast_of_its_own_leaves_what_the_members_say(predictions):
    own = np.array([[0.5, 0.5], [0.0, 1.0], [0.75, 0.25]], "float32")
    found = Predictions.from_outputs(
        MEMBERS, "probabilities", probabilities=own
    )
    np.testing.assert_array_equal(found.probabilities, own)
    assert found.labels.tolist() == [0, 1, 0]
    assert found.labels.dtype == predictions.labels.dtype
    assert found.confidence.tolist() == [0.5, 1.0, 0.75]
    np.testing.assert_allclose(found.entropy[:2], [LN2, 0.0], atol=1e-6)
    for name in (
        "member_probabilities",
        "expected_entropy",
        "mutual_information",
        "disagreement",
    ):
        np.testing.assert_array_equal(
            getattr(found, name), getattr(predictions, name)
        )


def test_prediction_sets_go_through_as_they_are(predictions):
    assert predictions.prediction_sets is None
    sets = np.array([[True, False], [True, True], [False, False]])
    found = Predictions.from_outputs(
        MEMBERS, "probabilities", prediction_sets=sets
    )
    np.testing.assert_array_equal(found.prediction_sets, sets)
    assert found.prediction_sets.dtype == bool


def test_no_field_can_be_overwritten(predictions):
    with pytest.raises(dataclasses.FrozenInstanceError):
        predictions.labels = np.zeros(3)


def test_predictions_can_be_compared_without_an_error(predictions):
    # A dataclass compares its arrays with ==, whose truth is ambiguous.
    assert predictions == predictions
    again = Predictions.from_outputs(MEMBERS, "probabilities")
    assert (predictions == again) in (True, False)


@pytest.mark.parametrize("shape", [(3,), (3, 2, 5, 2)])
def test_outputs_of_another_rank_raise(shape):
    with pytest.raises(ValueError, match="`outputs` must be"):
        Predictions.from_outputs(np.ones(shape), "probabilities")


def test_regression_has_no_probabilities():
    with pytest.raises(ValueError, match="no class probabilities"):
        Predictions.from_outputs(np.ones((3, 2, 1)), "regression")


def test_an_unknown_output_kind_raises():
    with pytest.raises(ValueError, match="Unknown output kind: 'logits'"):
        Predictions.from_outputs(MEMBERS, "logits")
