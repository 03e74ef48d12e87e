"""A file is whole, or as it was."""

import os

import pytest

from keras_plex.files import whole_file


def test_it_is_there_when_all_of_it_is_written(tmp_path):
    path = tmp_path / "a.bin"
    with whole_file(path) as file:
        file.write(b"new")
        assert not path.exists()
    assert path.read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["a.bin"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_after_an_error_the_old_one_is_there(tmp_path, error):
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")
    with pytest.raises(error), whole_file(path) as file:
        file.write(b"half")
        raise error
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a.bin"]


def test_a_file_that_cannot_be_moved_leaves_nothing(tmp_path, monkeypatch):
    def fail(*args):
        raise OSError("full")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="full"):
        with whole_file(tmp_path / "a.bin") as file:
            file.write(b"new")
    assert not os.listdir(tmp_path)
