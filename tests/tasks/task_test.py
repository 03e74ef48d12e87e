"""The two steps of a task."""

import numpy as np
import pytest

from keras_plex.tasks import Calibration
from keras_plex.tasks import Task
from tests.task_cases import TASKS
from tests.task_cases import TEST
from tests.task_cases import logits_model


def test_a_task_is_called_by_its_kind_or_its_name():
    assert Calibration(TEST).name == "calibration"
    assert Calibration(TEST, name="mine").name == "mine"


@pytest.mark.parametrize("name", TASKS)
def test_evidence_measures_as_often_as_one_likes(name):
    task = TASKS[name].make_task()
    evidence = task.predict(logits_model())
    first, second = task.measure(evidence), task.measure(evidence)
    assert list(first) == list(second)
    np.testing.assert_array_equal(list(first.values()), list(second.values()))
    assert evidence.num_classes == 4 and evidence.seconds > 0


def test_the_base_measures_nothing():
    with pytest.raises(NotImplementedError):
        Task().data_sets()
    assert Task().curves(None) == {}


def test_a_name_is_a_string():
    with pytest.raises(ValueError, match="`name` must be a string.*name=5"):
        Calibration(TEST, name=5)
