"""Where the members come from."""

import numpy as np
import pytest
from keras import ops

from keras_plex.conversion import forward_pass
from keras_plex.metrics import MemberDisagreement
from keras_plex.metrics import MemberKLDivergence
from keras_plex.metrics.member_metric import MemberMetric
from keras_plex.metrics.member_metric import member_log_probabilities

each_metric = pytest.mark.parametrize(
    "metric_class", [MemberDisagreement, MemberKLDivergence]
)


def test_a_new_metric_is_one_method():
    class FirstMember(MemberMetric):
        def member_values(self, log_probabilities):
            return ops.exp(log_probabilities[:, 0, 0])

    metric = FirstMember()
    metric.update_state([0], [[[0.25, 0.75], [0.5, 0.5]]])
    assert float(metric.result()) == pytest.approx(0.25)


@each_metric
def test_a_forecast_alone_is_an_error_that_says_what_to_do(metric_class):
    with pytest.raises(ValueError, match="`predict_members` gives. In `comp"):
        metric_class().update_state([0], [[0.5, 0.5]])


@each_metric
def test_members_of_a_forecast_are_those_of_its_pass(metric_class):
    forecast = ops.array([[0.5, 0.5]])
    members = ops.array([[[0.9, 0.1], [0.1, 0.9]]])
    metric, expected = metric_class(), metric_class()
    expected.update_state([0], members)
    with forward_pass.remembering_members():
        forward_pass.record_members(forecast, members)
        metric.update_state([0], forecast)
    assert float(metric.result()) == float(expected.result()) > 0


@each_metric
def test_one_member_gives_zero(metric_class):
    metric = metric_class()
    metric.update_state([0], [[[0.2, 0.8]]])
    assert float(metric.result()) == 0.0


@each_metric
@pytest.mark.parametrize("from_logits", [False, True])
def test_one_unit_is_class_one_of_two(metric_class, from_logits):
    values = np.array([[[0.2], [0.7], [0.9]]])
    both = np.concatenate([1 - values, values], axis=-1)
    if from_logits:
        values, both = np.log(values / (1 - values)), np.log(both)
    one, two = metric_class(from_logits), metric_class(from_logits)
    one.update_state([0], values)
    two.update_state([0], both)
    assert float(one.result()) == pytest.approx(float(two.result()), abs=1e-6)


@each_metric
@pytest.mark.parametrize("member", [[0.9, 0.9], [1.2, -0.2], [np.nan, 0.5]])
def test_a_member_that_is_no_distribution_gives_nan(metric_class, member):
    metric = metric_class()
    metric.update_state([0], np.array([[[0.5, 0.5], member]]))
    assert np.isnan(float(metric.result()))


def test_probability_zero_has_an_infinite_logarithm():
    values = member_log_probabilities(
        ops.array([[[1.0, 0.0]]]), False, "float32"
    )
    assert ops.convert_to_numpy(values).tolist() == [[[0.0, -np.inf]]]
