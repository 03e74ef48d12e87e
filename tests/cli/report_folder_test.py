"""A report joins what an evaluation left, and nothing else."""

import json
import os

import pytest

from keras_plex.cli.report_folder import COMPARISON
from keras_plex.cli.report_folder import REPORT
from keras_plex.cli.report_folder import checked_folder
from keras_plex.tasks.reports.files import UNFINISHED


def test_new_and_empty_folders_are_taken_and_none_is_made(tmp_path):
    assert checked_folder(None, REPORT) is None
    assert checked_folder(str(tmp_path), COMPARISON) == tmp_path
    new = tmp_path / "new" / "out"
    assert checked_folder(str(new), REPORT) == new
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("contents", [REPORT, COMPARISON])
def test_what_the_same_command_left_is_taken(tmp_path, contents):
    for name in contents.names:
        (tmp_path / name).write_text(json.dumps({"schema": contents.schema}))
    for name in contents.beside:
        (tmp_path / name).mkdir()
    assert checked_folder(str(tmp_path), contents) == tmp_path


@pytest.mark.parametrize("contents", [REPORT, COMPARISON])
def test_what_a_killed_command_left_is_taken(tmp_path, contents):
    (tmp_path / f"{UNFINISHED}1").mkdir()
    assert checked_folder(str(tmp_path), contents) == tmp_path


def test_evidence_alone_is_taken_and_other_files_are_left_alone(tmp_path):
    (tmp_path / "evidence").mkdir()
    assert checked_folder(str(tmp_path), REPORT) == tmp_path
    assert checked_folder(str(tmp_path), COMPARISON) == tmp_path
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(ValueError, match="holds other files.*thesis"):
        checked_folder(str(tmp_path), REPORT)
    for path in (tmp_path / "thesis.txt", tmp_path / "thesis.txt" / "out"):
        with pytest.raises(ValueError, match="a folder.*thesis.txt"):
            checked_folder(str(path), REPORT)


def test_a_folder_that_cannot_be_written_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(PermissionError, match="cannot be written"):
        checked_folder(str(tmp_path / "new"), REPORT)
