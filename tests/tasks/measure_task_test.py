"""A result holds the numbers, their resamples and what they came from."""

import numpy as np
import pytest

from keras_plex.tasks import InDistribution
from keras_plex.tasks.bootstrap import resample
from keras_plex.tasks.measure_task import measure_task
from tests.task_cases import TEST
from tests.task_cases import logits_model

RESAMPLES, SEED = 30, 4


@pytest.fixture(scope="module")
def task():
    return InDistribution(TEST, name="mine")


@pytest.fixture(scope="module")
def evidence(task):
    return task.predict(logits_model())


def test_values_are_those_of_measure(task, evidence):
    result = measure_task(task, evidence, RESAMPLES, SEED)
    expected = task.measure(evidence)
    assert {k: v.value for k, v in result.measures.items()} == expected
    assert (result.name, result.kind) == ("mine", "in_distribution")
    assert result.num_examples == {"test": len(TEST[1])}
    assert result.seconds >= evidence.seconds
    assert list(result.fingerprints) == ["test"]


def test_resamples_are_kept(task, evidence):
    result = measure_task(task, evidence, RESAMPLES, SEED)
    expected = [
        task.measure(resample(evidence, SEED, number))["accuracy"]
        for number in range(RESAMPLES)
    ]
    found = result["accuracy"]
    np.testing.assert_allclose(found.drawn, expected, rtol=1e-6)
    assert found.low <= found.value <= found.high


def test_without_resamples_there_is_no_interval(task, evidence):
    found = measure_task(task, evidence, 0, SEED)["accuracy"]
    assert np.isnan([found.low, found.high]).all() and len(found.drawn) == 0


def test_fingerprints_may_be_known(task, evidence):
    result = measure_task(task, evidence, 0, SEED, fingerprints={"test": "ab"})
    assert result.fingerprints == {"test": "ab"}


def test_settings_are_those_of_the_task(task, evidence):
    settings = measure_task(task, evidence, 0, SEED).settings
    assert settings == {"options": {}, "sets": {"test": None}}
