"""What was typed becomes a task with its data."""

import numpy as np
import pytest

from keras_plex.cli.build_tasks import TaskRequest
from keras_plex.cli.build_tasks import build_task
from keras_plex.cli.build_tasks import option_names
from keras_plex.cli.build_tasks import suffices
from keras_plex.cli.build_tasks import typed_options
from keras_plex.cli.data_files import DataFiles
from keras_plex.cli.data_files import Reading
from tests.task_cases import GROUPS
from tests.task_cases import NEAR
from tests.task_cases import TEST


@pytest.fixture
def paths(tmp_path):
    np.savez(tmp_path / "test.npz", x=TEST[0], y=TEST[1])
    np.savez(tmp_path / "grouped.npz", x=TEST[0], y=TEST[1], groups=GROUPS)
    np.savez(tmp_path / "near.npz", x=NEAR)
    return {path.stem: str(path) for path in tmp_path.iterdir()}


def build(kind, data, **options):
    return build_task(
        TaskRequest(kind, data, options, "mine"), DataFiles(Reading())
    )


def test_roles_become_arguments(paths):
    data = {"test": paths["test"], "ood.near": paths["near"]}
    data["train"] = paths["test"]
    task = build("open_set_recognition", data, scores=["msp", "knn"])
    assert task.name == "mine" and list(task.unknown) == ["near"]
    assert task.chosen == ("msp", "knn") and task.training is not None
    grouped = build("subpopulation_shift", {"test": paths["grouped"]})
    assert grouped.test.groups.tolist() == GROUPS.tolist()


def test_options_are_the_arguments_that_are_no_data():
    assert option_names("covariate_shift") == [
        "corruptions",
        "severities",
        "value_range",
    ]


def test_options_are_given_as_the_task_takes_them():
    assert "fit" not in option_names("active_learning")
    typed = {"shots": 5, "acquisition": "margin", "budget": 40, "l2": 1}
    few = typed_options("few_shot_learning", typed)
    assert few == {"shots": [5], "l2": 1}
    active = typed_options("active_learning", typed)
    assert active == {"acquisition": ["margin"], "budget": 40}


def test_which_tasks_data_suffice_for(paths):
    files = DataFiles(Reading())
    test = {"test": paths["test"]}
    assert suffices("calibration", test, {}, files)
    assert not suffices("calibration", {}, {}, files)
    assert not suffices("calibration", {"test": paths["near"]}, {}, files)
    assert not suffices("open_set_recognition", test, {}, files)
    assert not suffices("subpopulation_shift", test, {}, files)
    grouped = {"test": paths["grouped"]}
    assert suffices("subpopulation_shift", grouped, {}, files)
    assert not suffices("label_uncertainty", test, {}, files)
    assert not suffices("covariate_shift", test, {}, files)
    assert suffices("covariate_shift", test, {"corruptions": ["fog"]}, files)


def test_one_hot_labels_are_of_annotators_only_when_asked(tmp_path):
    one_hot = np.eye(4)[TEST[1]]
    paths = {"test": str(tmp_path / "hot.npz")}
    np.savez(paths["test"], x=TEST[0], y=one_hot)
    assert not suffices("label_uncertainty", paths, {}, DataFiles(Reading()))
    assert suffices("calibration", paths, {}, DataFiles(Reading()))
    assert build("label_uncertainty", paths).kind == "label_uncertainty"
    one_hot[0] = 0.25
    np.savez(paths["test"], x=TEST[0], y=one_hot)
    assert suffices("label_uncertainty", paths, {}, DataFiles(Reading()))


def test_what_lacks_is_said(paths):
    for kind, data, options, message in (
        ("calibration", {}, {}, "needs test=FILE.*no data"),
        ("calibration", {"test": paths["near"]}, {}, "needs labels in 'test'"),
        ("open_set_recognition", {"test": paths["test"]}, {}, "ood.NAME=FILE"),
        ("calibration", {"test": paths["test"]}, {"bins": 3}, "option 'bins'"),
        (
            "few_shot_learning",
            {"train": paths["test"], "test": paths["test"]},
            {"shots": [999]},
            "The task 'mine': There are too few examples",
        ),
        ("calibrate", {}, {}, "Unknown task: 'calibrate'"),
    ):
        with pytest.raises(ValueError, match=message):
            build(kind, data, **options)
