"""All files are written, or the old ones stay."""

import json
import os
import pathlib

import pytest

from keras_plex.tasks.reports.files import UNFINISHED
from keras_plex.tasks.reports.files import check_directory
from keras_plex.tasks.reports.files import save_files

SCHEMA = "keras_plex.thing/1"
FILES = {"thing.json": json.dumps({"schema": SCHEMA}), "thing.md": "one"}


def save(directory, files=FILES):
    return save_files(directory, files, schema=SCHEMA)


def test_what_it_wrote_it_replaces(tmp_path):
    directory = save(tmp_path / "new" / "thing")
    save(directory, {**FILES, "thing.md": "two"})
    assert sorted(os.listdir(directory)) == sorted(FILES)
    assert (directory / "thing.md").read_text() == "two"
    assert os.listdir(directory.parent) == ["thing"]


def test_folders_that_may_lie_beside_stay(tmp_path):
    (tmp_path / "evidence").mkdir()
    (tmp_path / "evidence" / "test.npz").write_text("passes")
    for _ in range(2):
        save_files(tmp_path, FILES, schema=SCHEMA, beside=["evidence"])
    assert sorted(os.listdir(tmp_path)) == sorted([*FILES, "evidence"])
    assert (tmp_path / "evidence" / "test.npz").read_text() == "passes"
    with pytest.raises(ValueError, match=r"holds other files.*\['evidence'\]"):
        save(tmp_path)


def test_a_file_is_no_folder_that_may_lie_beside(tmp_path):
    (tmp_path / "evidence").write_text("thesis")
    with pytest.raises(ValueError, match="holds other files.*evidence"):
        save_files(tmp_path, FILES, schema=SCHEMA, beside=["evidence"])


def test_checking_writes_nothing(tmp_path):
    check_directory(tmp_path / "new", FILES, schema=SCHEMA)
    assert not list(tmp_path.iterdir())
    (tmp_path / "thesis.txt").touch()
    with pytest.raises(ValueError, match="holds other files.*thesis.txt"):
        check_directory(tmp_path, FILES, schema=SCHEMA)
    with pytest.raises(ValueError, match="must be a directory"):
        check_directory(tmp_path / "thesis.txt", FILES, schema=SCHEMA)


def test_another_version_is_replaced(tmp_path):
    older = json.dumps({"schema": "keras_plex.thing/0"})
    (tmp_path / "thing.json").write_text(older)
    save(tmp_path)
    assert (tmp_path / "thing.json").read_text() == FILES["thing.json"]


@pytest.mark.parametrize("schema", ["keras_plex.other/1", None])
def test_another_schema_is_left_alone(tmp_path, schema):
    text = json.dumps({"schema": schema})
    (tmp_path / "thing.json").write_text(text)
    with pytest.raises(ValueError, match="holds other files.*thing.json"):
        save(tmp_path)
    assert (tmp_path / "thing.json").read_text() == text


def test_the_directory_may_be_the_one_of_the_shell(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert save(".") == pathlib.Path(".")
    assert sorted(os.listdir(tmp_path)) == sorted(FILES)


def test_nothing_is_written_beside_the_directory(tmp_path, monkeypatch):
    directory = tmp_path / "mounted"
    directory.mkdir()
    make, made = pathlib.Path.mkdir, []

    def remember(path, *args, **kwargs):
        made.append(path)
        make(path, *args, **kwargs)

    monkeypatch.setattr(pathlib.Path, "mkdir", remember)
    save(directory)
    assert all(directory in (path, path.parent) for path in made)
    assert sorted(os.listdir(directory)) == sorted(FILES)


@pytest.mark.parametrize("has_files", [True, False])
def test_what_a_killed_run_left_is_removed(tmp_path, has_files):
    if has_files:
        save(tmp_path)
    leftover = tmp_path / f"{UNFINISHED}1"
    leftover.mkdir()
    (leftover / "thing.json").write_text("{")
    check_directory(tmp_path, FILES, schema=SCHEMA)
    assert leftover.is_dir()
    save(tmp_path)
    assert sorted(os.listdir(tmp_path)) == sorted(FILES)


def test_a_file_with_the_name_of_a_leftover_is_another_file(tmp_path):
    (tmp_path / f"{UNFINISHED}1").touch()
    with pytest.raises(ValueError, match="holds other files"):
        save(tmp_path)


@pytest.mark.parametrize("moves", [0, 1])
def test_a_reader_never_sees_pages_of_another_time(
    tmp_path, monkeypatch, moves
):
    save(tmp_path)
    changed = json.dumps({"schema": SCHEMA, "changed": True})
    new = {"thing.json": changed, "thing.md": "two"}
    replace, moved = os.replace, []

    def kill(source, target):
        if target.parent == tmp_path:
            if len(moved) == moves:
                raise KeyboardInterrupt
            moved.append(target)
        replace(source, target)

    monkeypatch.setattr(os, "replace", kill)
    with pytest.raises(KeyboardInterrupt):
        save(tmp_path, new)
    found = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert found.items() <= (new if moves else FILES).items()
    assert "thing.json" in found
    monkeypatch.undo()
    save(tmp_path, new)
    found = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert found == new


def test_a_failed_write_changes_nothing(tmp_path, monkeypatch):
    directory = save(tmp_path / "thing")
    sync, synced = os.fsync, []

    def fail(descriptor):
        synced.append(descriptor)
        if len(synced) == 2:
            raise OSError("disk full")
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", fail)
    changed = json.dumps({"schema": SCHEMA, "changed": True})
    with pytest.raises(OSError, match="disk full"):
        save(directory, {"thing.json": changed, "thing.md": "two"})
    monkeypatch.undo()
    found = {path.name: path.read_text() for path in directory.iterdir()}
    assert found == FILES
    assert os.listdir(tmp_path) == ["thing"]
