"""A version appears whole or not at all."""

import os
import pathlib
import time

import pytest

from keras_plex.export.version_folder import UNFINISHED
from keras_plex.export.version_folder import check_target
from keras_plex.export.version_folder import find_versions
from keras_plex.export.version_folder import write_version


def write(folder):
    (folder / "saved_model.pb").write_text("graph")


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_next_version_follows_the_largest(tmp_path):
    for name in ("2", "10", "notes"):
        (tmp_path / name).mkdir()
    assert write_version(tmp_path, None, write) == tmp_path / "11"
    assert names(tmp_path / "11") == ["saved_model.pb"]


def test_first_version_is_one_and_its_folder_is_made(tmp_path):
    served = tmp_path / "deep" / "served"
    assert write_version(served, None, write) == served / "1"


def test_asked_version_may_be_below_the_largest(tmp_path):
    (tmp_path / "5").mkdir()
    assert write_version(tmp_path, 2, write) == tmp_path / "2"


def test_server_sees_no_version_before_all_is_written(tmp_path):
    def look(folder):
        write(folder)
        assert folder.parent == tmp_path
        assert find_versions(tmp_path) == {}
        assert folder.name.startswith(".")

    write_version(tmp_path, 1, look)
    assert names(tmp_path) == ["1"]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_failure_leaves_the_disk_as_it_was(error, tmp_path):
    def fail(folder):
        write(folder)
        raise error

    (tmp_path / "here").mkdir()
    for served in (tmp_path / "here", tmp_path / "new" / "served"):
        with pytest.raises(error):
            write_version(served, None, fail)
    assert names(tmp_path) == ["here"]
    assert names(tmp_path / "here") == []


def test_folder_of_a_killed_export_goes_after_a_day(tmp_path):
    for name in (f"{UNFINISHED}old", f"{UNFINISHED}new", ".other"):
        (tmp_path / name).mkdir()
        write(tmp_path / name)
    yesterday = time.time() - 25 * 60 * 60
    for name in (f"{UNFINISHED}old", ".other"):
        os.utime(tmp_path / name, (yesterday, yesterday))
    write_version(tmp_path, None, write)
    assert names(tmp_path) == sorted([f"{UNFINISHED}new", ".other", "1"])


def test_version_taken_meanwhile_is_passed_over_or_raises(tmp_path):
    def slow(folder):
        write(folder)
        taken = max(find_versions(tmp_path), default=0) + 1
        (tmp_path / str(taken)).mkdir()
        write(tmp_path / str(taken))

    assert write_version(tmp_path, None, slow) == tmp_path / "2"
    with pytest.raises(FileExistsError, match="Version 3 exists already"):
        write_version(tmp_path, 3, slow)
    assert names(tmp_path) == ["1", "2", "3"]


def test_version_taken_at_the_last_moment_is_passed_over(tmp_path, monkeypatch):
    rename = pathlib.Path.rename

    def late(path, target):
        monkeypatch.setattr(pathlib.Path, "rename", rename)
        target.mkdir()
        write(target)
        return rename(path, target)

    monkeypatch.setattr(pathlib.Path, "rename", late)
    assert write_version(tmp_path, None, write) == tmp_path / "2"


@pytest.mark.parametrize("version", [0, -1, 1.0, "1", True])
def test_version_must_be_a_positive_integer(version, tmp_path):
    with pytest.raises(ValueError, match="`version` must be a positive int"):
        check_target(tmp_path, version)


@pytest.mark.parametrize("name", ["7", "007"])
def test_existing_version_raises_however_it_is_written(name, tmp_path):
    (tmp_path / name).mkdir()
    with pytest.raises(FileExistsError, match="next free version is 8"):
        write_version(tmp_path, 7, write)
    assert names(tmp_path) == [name]


def test_remote_folder_raises():
    with pytest.raises(ValueError, match="must be a folder of this machine"):
        check_target("gs://bucket/served", None)
