"""The table names arguments that tasks have."""

import inspect
import json

import numpy as np
import pytest

import keras_plex
from keras_plex.cli.main import main
from keras_plex.cli.task_needs import NEEDS
from keras_plex.tasks import TASKS
from keras_plex.tasks import ActiveLearning
from keras_plex.tasks import FewShotLearning
from keras_plex.tasks import FewShotUncertainty
from tests.task_cases import NEAR
from tests.task_cases import TEST
from tests.task_cases import TRAIN
from tests.task_cases import logits_model


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


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.savez("train.npz", x=TRAIN[0], y=TRAIN[1])
    np.savez("test.npz", x=TEST[0], y=TEST[1])
    np.savez("near.npz", x=NEAR)
    logits_model().save("good.keras")
    return tmp_path


DATA = ["--data", "train=train.npz", "test=test.npz"]
NEAR_DATA = [*DATA, "ood.near=near.npz"]

# What is typed -> the same in Python.
ADAPTING = {
    "active_learning": (
        [*DATA, "--option", "acquisition=margin,uniform", "budget=40"],
        lambda: ActiveLearning(
            TRAIN, TEST, acquisition=("margin", "uniform"), budget=40
        ),
    ),
    "few_shot_learning": (
        [*DATA, "--option", "shots=1,5", "l2=1"],
        lambda: FewShotLearning(TRAIN, TEST, shots=(1, 5), l2=1),
    ),
    "few_shot_uncertainty": (
        [*NEAR_DATA, "--option", "shots=5", "l2=0.5", "seed=3"],
        lambda: FewShotUncertainty(
            TRAIN, TEST, {"near": NEAR}, shots=[5], l2=0.5, seed=3
        ),
    ),
}


@pytest.mark.parametrize("kind", ADAPTING)
def test_tasks_that_adapt_learn_from_the_training_data(folder, capsys, kind):
    typed, make_task = ADAPTING[kind]
    command = ["evaluate", "good.keras", "--resamples", "0", "--json"]
    assert main([*command, "--task", kind, *typed]) == 0
    [result] = json.loads(capsys.readouterr().out)["results"]
    report = keras_plex.evaluate(
        logits_model(), make_task(), resamples=0, verbose=0
    )
    expected = {k: v.value for k, v in report[kind].measures.items()}
    found = {k: one["value"] for k, one in result["measures"].items()}
    assert found == pytest.approx(expected, abs=1e-6, nan_ok=True)


def test_they_run_only_when_asked_for(folder, capsys):
    command = ["evaluate", "good.keras", *NEAR_DATA, "--resamples", "0"]
    assert main([*command, "--json"]) == 0
    results = json.loads(capsys.readouterr().out)["results"]
    kinds = [one["kind"] for one in results]
    assert kinds == [
        "calibration",
        "selective_prediction",
        "open_set_recognition",
        "in_distribution",
    ]


@pytest.mark.parametrize(
    "kind, option, message",
    [
        ("active_learning", "acquisition=best", "Unknown acquisition: 'best'"),
        ("active_learning", "acquisition=bald", "members"),
        ("active_learning", "budget=3", "`budget` must lie between"),
        ("active_learning", "fit=mine", "has the option 'fit'"),
        ("few_shot_learning", "shots=1,500", "500 shots need 500 of each"),
        ("few_shot_learning", "shots=many", "must hold positive integers"),
        ("few_shot_uncertainty", "l2=-1", "`l2` must be"),
    ],
)
def test_wrong_options_are_one_line(folder, capsys, kind, option, message):
    command = ["evaluate", "good.keras", "--task", kind, *DATA]
    assert main([*command, "--option", option]) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith("keras-plex: error: ") and message in error
