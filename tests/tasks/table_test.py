"""The table holds what exists, by name."""

from keras_plex.tasks import TASKS
from keras_plex.tasks.task import CATEGORIES


def test_names_are_those_of_the_files():
    for kind, task in TASKS.items():
        assert task.kind == kind
        assert task.__module__ == f"keras_plex.tasks.{kind}"
        assert task.category in CATEGORIES


def test_the_ten_are_there():
    found = [task.category for task in TASKS.values()]
    assert found.count("uncertainty") == 4
    assert found.count("robust generalization") == 3
    assert found.count("adaptation") == 3
