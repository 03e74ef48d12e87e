"""The sums stay exact, and a new metric is short."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_plex.metrics import ExpectedCalibrationError
from keras_plex.metrics.base import ForecastMetric
from keras_plex.metrics.base import StreamingMetric
from keras_plex.metrics.base import ratio


def test_a_new_metric_is_one_method():
    class Accuracy(ForecastMetric):
        def values(self, labels, forecast):
            predicted = ops.one_hot(ops.argmax(forecast, axis=-1), 2)
            return ops.sum(labels * predicted, axis=-1)

    metric = Accuracy()
    metric.update_state([0, 1, 1], [[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]])
    assert float(metric.result()) == pytest.approx(2 / 3)


def test_a_count_goes_on_where_float32_stops():
    metric = StreamingMetric((1,))
    metric.accumulate(ops.convert_to_tensor([2.0**24]))
    for _ in range(4):
        metric.accumulate(ops.ones((1,)))
    assert np.float32(2**24) + np.float32(1) == np.float32(2**24)
    assert ops.convert_to_numpy(metric.totals()).tolist() == [2.0**24 + 4]


def test_a_thousand_small_additions_to_a_large_sum_stay_exact():
    metric = StreamingMetric((1,))
    metric.accumulate(ops.convert_to_tensor([1e6]))
    for _ in range(1000):
        metric.accumulate(ops.convert_to_tensor([0.01]))
    # Plain float32 sums give 1000000.0.
    total = float(ops.convert_to_numpy(metric.totals())[0])
    assert total == pytest.approx(1000010.0, abs=0.07)  # one float32 step


def test_an_infinite_value_gives_infinity_and_not_nan():
    metric = StreamingMetric((1,))
    metric.accumulate(ops.convert_to_tensor([np.inf]))
    metric.accumulate(ops.ones((1,)))
    assert ops.convert_to_numpy(metric.totals()).tolist() == [np.inf]


def test_nan_stays_nan():
    metric = StreamingMetric((1,))
    metric.accumulate(ops.convert_to_tensor([np.nan]))
    metric.accumulate(ops.ones((1,)))
    assert np.isnan(ops.convert_to_numpy(metric.totals())).all()


def test_ratio_to_nothing_is_nan():
    values = ratio(ops.array([1.0, 0.0]), ops.array([2.0, 0.0]))
    np.testing.assert_equal(ops.convert_to_numpy(values), [0.5, np.nan])


def test_only_metrics_of_one_class_and_config_merge():
    metric = ExpectedCalibrationError(num_bins=5)
    for other in (keras.metrics.Mean(), ExpectedCalibrationError(num_bins=6)):
        with pytest.raises(ValueError, match="Only metrics of one kind merge"):
            metric.merge_state([other])
