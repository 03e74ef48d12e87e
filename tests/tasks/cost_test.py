"""Every classifier has a cost."""

import keras
import numpy as np
import pytest

import keras_plex
from keras_plex.tasks import Calibration
from keras_plex.tasks.cost import measure_cost
from tests.task_cases import TEST
from tests.task_cases import logits_model

X = TEST[0]


def test_it_is_counted_per_example_and_timed_for_both_batches():
    cost = measure_cost(logits_model(), X[:5], batch_size=16)
    assert cost.flops == pytest.approx(2 * 4 * 4)
    assert cost.batch_size == 16 and cost.repeats >= 3
    assert 0 < cost.seconds_one < 5 and 0 < cost.seconds_batch < 5
    assert cost.seconds_per_example == cost.seconds_batch / 16
    assert "cpu" in cost.device.lower() or "gpu" in cost.device.lower()


def test_members_cost_more():
    dropout = keras.Sequential(
        [keras.Input((4,)), keras.layers.Dropout(0.5), keras.layers.Dense(4)]
    )
    plex = keras_plex.plexify(
        keras.Sequential(
            [
                keras.Input((4,)),
                keras.layers.Dense(8, "relu"),
                keras.layers.Dense(4),
            ]
        ),
        last_blocks=1,
        head_options={"num_features": 8},
        seed=0,
    )
    one = measure_cost(logits_model(), X[:2], batch_size=4)
    for model in (
        keras_plex.models.DeepEnsemble([logits_model(), logits_model()]),
        keras_plex.models.MCDropout(dropout, num_samples=3),
        plex,
    ):
        cost = measure_cost(model, X[:2], batch_size=4)
        assert cost.flops is not None and cost.flops > one.flops


def test_the_model_stays_as_it_is():
    model = logits_model()
    before = model.get_weights()
    measure_cost(model, X[:2], batch_size=2)
    np.testing.assert_array_equal(before, model.get_weights())
    assert not model.compiled


def test_evaluate_records_it_if_asked():
    task = Calibration(TEST)
    without = keras_plex.evaluate(logits_model(), task, resamples=0, verbose=0)
    assert without.cost is None
    report = keras_plex.evaluate(
        logits_model(),
        task,
        batch_size=8,
        resamples=0,
        measure_cost=True,
        verbose=0,
    )
    assert report.cost.batch_size == 8
    assert report.to_dict()["cost"]["flops"] == report.cost.flops
    assert "flops_source" in report.to_markdown()


@pytest.mark.parametrize("batch_size", [0, 1.5, True])
def test_the_batch_size_is_checked(batch_size):
    with pytest.raises(ValueError, match="positive integer"):
        measure_cost(logits_model(), X, batch_size=batch_size)
