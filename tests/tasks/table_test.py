"""The table holds what exists, by name."""

import types

from keras_plex import tasks
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


def test_a_star_import_takes_classes_and_functions_alone():
    modules = [
        name
        for name in tasks.__all__
        if isinstance(getattr(tasks, name), types.ModuleType)
    ]
    assert modules == [] and "evaluate" not in tasks.__all__
    assert {task.__name__ for task in tasks.TASKS.values()} < {*tasks.__all__}
