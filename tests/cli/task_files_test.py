"""A file holds tasks by name."""

import json

import pytest

from keras_plex.cli.build_tasks import TaskRequest
from keras_plex.cli.task_files import read_task_file

TOML = """
[tasks.clean]
kind = "in_distribution"
test = "test.npz"

[tasks.blurred]
kind = "covariate_shift"
test = "test.npz"
shifted.blur = "shifted/blur.npz"
corruptions = ["fog"]

[tasks.far]
kind = "open_set/cifar10"
"""


def test_toml_and_json_hold_the_same(tmp_path):
    (tmp_path / "t.toml").write_text(TOML)
    clean, blurred, far = read_task_file(str(tmp_path / "t.toml"))
    assert clean.name == "clean" and clean.kind == "in_distribution"
    assert clean.data == {"test": str(tmp_path / "test.npz")}
    assert blurred.options == {"corruptions": ["fog"]}
    assert blurred.data["shifted.blur"] == str(tmp_path / "shifted/blur.npz")
    assert far == TaskRequest("open_set/cifar10", {}, {}, "far")
    entry = {"kind": "in_distribution", "test": "test.npz"}
    (tmp_path / "t.json").write_text(json.dumps({"tasks": {"clean": entry}}))
    assert read_task_file(str(tmp_path / "t.json")) == [clean]


def test_a_byte_order_mark_is_no_text(tmp_path):
    (tmp_path / "t.toml").write_text(TOML, "utf-8-sig")
    assert len(read_task_file(str(tmp_path / "t.toml"))) == 3


@pytest.mark.parametrize(
    "text, message",
    [
        ("[tasks", "cannot be read"),
        ("a = 1", "must hold tasks by name"),
        ("[tasks.a]\ntest = 'x'", "'a' must have a `kind`"),
        ("[tasks.a]\nkind = 'fly'", "Unknown task: 'fly'"),
        ("[tasks.a]\nkind = 'open_set/x'", "Unknown benchmark: 'open_set/x'"),
        (
            "[tasks.a]\nkind = 'open_set/cifar10'\nscores = ['msp']",
            r"'a' is the benchmark.*Received: \['scores'\]",
        ),
        (
            "[tasks.a]\nkind = 'calibration'\ntest.a = 'x'",
            "'test' of the task 'a' must be one path",
        ),
        (
            "[tasks.a]\nkind = 'open_set_recognition'\nood = 'x'",
            "must be paths by name",
        ),
        (
            "[tasks.a]\nkind = 'covariate_shift'\ntest = 'x'\nshifted.b = 3",
            "'shifted.b' of the task 'a' must be a path, a text. Received: 3",
        ),
        (
            "[tasks.a]\nkind = 'calibration'\ntest = ['x']",
            r"'test' of the task 'a' must be a path.*\['x'\]",
        ),
    ],
)
def test_what_is_wrong_is_said(tmp_path, text, message):
    (tmp_path / "t.toml").write_text(text)
    with pytest.raises(ValueError, match=message):
        read_task_file(str(tmp_path / "t.toml"))


def test_another_suffix_is_refused(tmp_path):
    (tmp_path / "t.yaml").touch()
    with pytest.raises(ValueError, match="Unknown kind of task file: '.yaml'"):
        read_task_file(str(tmp_path / "t.yaml"))


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="no task file '.*gone.toml'"):
        read_task_file(str(tmp_path / "gone.toml"))
