"""One data set, read as the class says."""

import functools

from keras_plex.tasks.data_set import DataSet
from keras_plex.tasks.one_set_task import OneSetTask
from tests.task_cases import TEST


class SoftTask(OneSetTask):
    kind = "soft"
    read_as = staticmethod(functools.partial(DataSet, needs_soft_labels=True))


def test_the_set_is_called_test_and_the_task_like_its_kind():
    task = SoftTask(TEST)
    assert task.data_sets() == {"test": task.test}
    assert (task.name, SoftTask(TEST, name="mine").name) == ("soft", "mine")


def test_the_class_says_what_is_read():
    assert SoftTask(TEST).test.needs_soft_labels
    assert not OneSetTask(TEST, name="plain").test.needs_soft_labels
