"""The table names arguments that tasks have."""

import inspect

from keras_plex.cli.task_needs import NEEDS
from keras_plex.tasks import TASKS


def test_every_task_has_a_row():
    missing = sorted(set(TASKS) - set(NEEDS))
    assert not missing, f"Add rows to keras_plex/cli/task_needs.py: {missing}"


def test_rows_name_arguments_of_the_task():
    for kind, needs in NEEDS.items():
        arguments = inspect.signature(TASKS[kind]).parameters
        assert {need.argument for need in needs} <= set(arguments)


def test_a_need_reads_as_it_is_typed():
    found = [str(need) for need in NEEDS["open_set_recognition"]]
    assert found == ["test (x)", "ood.NAME (x)", "[train (x, y)]"]
    assert str(NEEDS["subpopulation_shift"][0]) == "test (x, y, groups)"
    assert str(NEEDS["label_uncertainty"][0]) == "test (x, soft y)"
