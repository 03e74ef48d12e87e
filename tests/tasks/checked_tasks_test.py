"""Tasks that are none are refused before anything runs."""

import pytest

from keras_plex.tasks import Calibration
from keras_plex.tasks import InDistribution
from keras_plex.tasks.checked_tasks import check_loaded_for
from keras_plex.tasks.checked_tasks import checked_tasks
from tests.task_cases import TEST


def test_tasks_keep_their_order_and_one_needs_no_list():
    tasks = [InDistribution(TEST), Calibration(TEST)]
    assert checked_tasks(tuple(tasks)) == tasks
    assert checked_tasks(one for one in tasks) == tasks
    assert checked_tasks(tasks[0]) == tasks[:1]


@pytest.mark.parametrize(
    "tasks, message",
    [
        (["calibration"], r"`Calibration\(\(x, y\)\)`.*SubpopulationShift"),
        ("calibration", "A task needs data"),
        ([Calibration], "A task needs data.*Received: 'Calibration'"),
        (TEST, r"`Calibration\(\(x, y\)\)`.*Received: 'ndarray'"),
        ([TEST], "A task needs data.*Received: 'tuple'"),
        (None, "A task needs data.*Received: 'NoneType'"),
        (["calibrate"], "Unknown task: 'calibrate'. Available: 'calibration'"),
        ([], "must hold a task"),
        ([Calibration(TEST)] * 2, "name of its own.*'calibration'"),
    ],
)
def test_tasks_that_are_none_are_refused(tasks, message):
    with pytest.raises(ValueError, match=message):
        checked_tasks(tasks)


def test_data_of_ones_own_are_for_any_model():
    check_loaded_for([Calibration(TEST)], [object()])
