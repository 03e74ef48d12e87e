"""A `.keras` file is there whole, or is as it was."""

import os

import keras
import pytest

from keras_plex.cli.keras_files import check_writable
from keras_plex.cli.keras_files import checked_file
from keras_plex.cli.keras_files import load_keras_model
from keras_plex.cli.keras_files import save_model
from tests.task_cases import logits_model


def test_a_saved_model_is_loaded(tmp_path):
    file = checked_file(str(tmp_path / "new" / "m.keras"), False)
    save_model(logits_model(), file)
    assert os.listdir(file.parent) == ["m.keras"]
    assert isinstance(load_keras_model(str(file)), keras.Sequential)
    with pytest.raises(ValueError, match="not a SavedModel"):
        load_keras_model(str(file.parent))


def test_a_failure_leaves_the_file_as_it_was(tmp_path, monkeypatch):
    file = tmp_path / "m.keras"
    file.write_text("before")

    def fail(path):
        path.write_text("half")
        raise OSError("No space left on device")

    model = logits_model()
    monkeypatch.setattr(model, "save", fail)
    with pytest.raises(OSError, match="No space"):
        save_model(model, file)
    assert file.read_text() == "before"
    assert os.listdir(tmp_path) == ["m.keras"]


def test_a_file_is_replaced_only_when_asked(tmp_path):
    file = tmp_path / "m.keras"
    file.touch()
    with pytest.raises(FileExistsError, match="--overwrite to replace it"):
        checked_file(str(file), False)
    assert checked_file(str(file), True) == file


def test_what_cannot_be_written_is_said_before(tmp_path):
    with pytest.raises(ValueError, match=r"as in m.keras. Received: 'm.h5'"):
        checked_file("m.h5", False)
    (tmp_path / "d.keras").mkdir()
    with pytest.raises(IsADirectoryError, match="must be a file"):
        checked_file(str(tmp_path / "d.keras"), True)
    (tmp_path / "file").touch()
    with pytest.raises(PermissionError, match="can be written"):
        checked_file(str(tmp_path / "file" / "m.keras"), False)
    check_writable(tmp_path / "new" / "newer")
