"""Options become tasks; what nobody would read is refused."""

import argparse

import keras
import numpy as np
import pytest

from keras_plex.cli.task_arguments import make_tasks
from keras_plex.cli.task_options import add_measuring_arguments
from keras_plex.cli.task_options import add_task_arguments
from tests.task_cases import NEAR
from tests.task_cases import TEST
from tests.task_cases import logits_model


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.savez("test.npz", x=TEST[0], y=TEST[1])
    np.savez("near.npz", x=NEAR)
    return tmp_path


def tasks_of(*typed, model=None):
    parser = argparse.ArgumentParser()
    add_task_arguments(parser)
    add_measuring_arguments(parser)
    models = {"model": model or logits_model()}
    return make_tasks(parser.parse_args(typed), models)


def test_without_task_all_are_made_that_the_data_suffice_for(folder):
    found = tasks_of("--data", "test=test.npz", "ood.near=near.npz")
    assert [task.kind for task in found] == [
        "calibration",
        "selective_prediction",
        "open_set_recognition",
        "in_distribution",
    ]
    keys = {task.data_sets()["test"].key for task in found}
    assert len(keys) == 1  # one pass for all


def test_options_reach_the_tasks_that_have_them(folder):
    typed = ["--task", "calibration", "--task", "open_set_recognition"]
    typed += ["--data", "test=test.npz", "--data", "ood.near=near.npz"]
    _, task = tasks_of(*typed, "--option", "scores=msp,energy")
    assert task.chosen == ("msp", "energy")


@pytest.mark.parametrize(
    "typed, message",
    [
        ([], "nothing to measure.*no data"),
        (["--task", "fly"], "Unknown task: 'fly'"),
        (["--task", "calibration"], "needs test=FILE"),
        (["--data", "test"], "--data takes NAME=VALUE.*'test'"),
        (["--data", "test=a", "test=b"], "'test' twice"),
        (
            ["--task", "calibration", "--data", "test=test.npz", "ood.a=b"],
            "reads 'ood.a'",
        ),
        (
            ["--task", "open_set/cifar10", "--data", "test=test.npz"],
            "reads 'test'. Tasks with files: none",
        ),
        (
            ["--task", "open_set/cifar10", "--option", "scores=msp"],
            "the option 'scores'. Available: none",
        ),
        (["--task", "open_set/cifar11"], "Did you mean open_set/cifar10,"),
        (["--data", "test=test.npz", "--download"], "no benchmark"),
        (["--data", "test=near.npz"], "test=PATH with labels"),
        (
            ["--data", "test=test.npz", "--option", "wings=2"],
            "has the option 'wings'",
        ),
        (["--tasks", "t.toml", "--task", "calibration"], "stands in place of"),
        (["--data", "test=test.npz", "--batch-size", "0"], "--batch-size"),
        (["--data", "test=test.npz", "--image-size", "9"], "two numbers.*'9'"),
        (["--data", "test=test.npz", "ood=gone.npz"], "takes ood.NAME=PATH"),
        (
            ["--task", "covariate_shift", "--data", "test=a", "shifted=b"],
            "takes shifted.NAME=PATH. Received: shifted=b",
        ),
        (["--data", "test=test.npz", "ood.=gone.npz"], "takes ood.NAME=PATH"),
        (
            ["--data", "test=test.npz", "test.x=gone.npz"],
            "takes test=PATH. Received: test.x=gone.npz",
        ),
        (
            ["--data", "test=test.npz", "--image-size", "9x9"],
            "--image-size is for folders of images",
        ),
        (
            ["--data", "test=test.npz", "--image-range", "0,1"],
            "--image-range is for folders of images and benchmarks",
        ),
        (
            ["--data", "test=test.npz", "--classes", "a,b,c,d"],
            "--classes is for files whose labels are names",
        ),
    ],
)
def test_what_is_wrong_is_said(folder, typed, message):
    with pytest.raises(ValueError, match=message):
        tasks_of(*typed)


def test_names_of_classes_are_read_where_there_are_some(folder):
    np.savez("named.npz", x=TEST[0], y=np.array(list("abcd"))[TEST[1]])
    typed = ["--task", "calibration", "--data", "test=named.npz"]
    [task] = tasks_of(*typed, "--classes", "a,b,c,d")
    _, labels, _ = next(task.test.batches(len(TEST[1])))
    assert labels.tolist() == TEST[1].tolist()


def test_images_get_the_size_of_the_models_input(folder):
    image = pytest.importorskip("PIL.Image")
    for name in ("cat", "dog"):
        (folder / "images" / name).mkdir(parents=True)
        image.new("RGB", (9, 9)).save(folder / "images" / name / "a.png")
    model = keras.Sequential(
        [
            keras.Input((4, 6, 1)),
            keras.layers.Flatten(),
            keras.layers.Dense(2),
        ]
    )
    typed = ["--task", "calibration", "--data", "test=images"]
    typed += ["--classes", "cat,dog", "--image-range", "0,1"]
    [task] = tasks_of(*typed, model=model)
    x, y, _ = next(task.test.batches(1))
    assert x.shape == (2, 4, 6, 1) and y.tolist() == [0, 1]
