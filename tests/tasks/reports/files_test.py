"""All files are written, or the old ones stay."""

import json
import os
import pathlib

import pytest

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


def test_a_failed_write_changes_nothing(tmp_path, monkeypatch):
    directory = save(tmp_path / "thing")
    write = pathlib.Path.write_text

    def fail(path, text, **options):
        if path.name == "thing.md":
            raise OSError("disk full")
        return write(path, text, **options)

    monkeypatch.setattr(pathlib.Path, "write_text", fail)
    changed = json.dumps({"schema": SCHEMA, "changed": True})
    with pytest.raises(OSError, match="disk full"):
        save(directory, {"thing.json": changed, "thing.md": "two"})
    monkeypatch.undo()
    found = {path.name: path.read_text() for path in directory.iterdir()}
    assert found == FILES
    assert os.listdir(tmp_path) == ["thing"]
