"""Columns come back as they were, and damage is found."""

import numpy as np
import pytest

from keras_plex.tasks.resume.files import DESCRIPTION
from keras_plex.tasks.resume.files import read_columns
from keras_plex.tasks.resume.files import read_description
from keras_plex.tasks.resume.files import write_columns

COLUMNS = {
    "right": np.array([0.0, 1.0, 1.0], "float32"),
    "score/msp": np.array([0.1, np.nan, np.inf]),
    "group": np.array(["a", "é", "a"]),
}


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "one.npz"
    write_columns(path, {"model": "m", "sets": [["test", None]]}, COLUMNS)
    return path


def test_columns_come_back_bit_for_bit_in_their_order(path):
    description, columns = read_columns(path)
    assert description == {"model": "m", "sets": [["test", None]]}
    assert list(columns) == list(COLUMNS)
    for name, column in COLUMNS.items():
        assert columns[name].dtype == column.dtype
        np.testing.assert_array_equal(columns[name], column)


def test_texts_that_are_objects_become_texts(tmp_path):
    groups = np.array([b"a", b"bc"], object)
    write_columns(tmp_path / "x.npz", {}, {"group": groups})
    _, columns = read_columns(tmp_path / "x.npz")
    assert columns["group"].tolist() == [b"a", b"bc"]


def test_no_file_is_none(tmp_path):
    assert read_columns(tmp_path / "none.npz") is None


def test_every_cut_is_found(path):
    whole = path.read_bytes()
    for length in range(0, len(whole), 97):
        path.write_bytes(whole[:length])
        assert read_columns(path) is None


def test_a_flipped_bit_in_a_column_is_found(path):
    whole = bytearray(path.read_bytes())
    place = whole.find(COLUMNS["right"].tobytes())
    assert place > 0
    whole[place] ^= 1
    path.write_bytes(whole)
    assert read_columns(path) is None


def test_another_file_is_none(tmp_path):
    np.savez(tmp_path / "other.npz", x=np.ones(3))
    assert read_columns(tmp_path / "other.npz") is None


def test_a_failed_write_leaves_the_old_file_and_no_other(path, monkeypatch):
    before = path.read_bytes()

    def fail(*args, **kwargs):
        raise OSError("disk full")

    monkeypatch.setattr(np, "savez", fail)
    with pytest.raises(OSError, match="disk full"):
        write_columns(path, {}, COLUMNS)
    assert path.read_bytes() == before
    assert [one.name for one in path.parent.iterdir()] == ["one.npz"]


def test_a_description_is_read_alone(path, tmp_path):
    assert read_description(path) == {"model": "m", "sets": [["test", None]]}
    assert read_description(tmp_path / "none.npz") is None
    path.write_bytes(path.read_bytes()[:50])
    assert read_description(path) is None


def test_a_file_holds_its_columns_alone(path):
    # NumPy before 2.2 saved the arguments that it did not know, too.
    with np.load(path) as entries:
        assert set(entries) == {DESCRIPTION, *COLUMNS}


def test_other_objects_are_refused_before_a_file_is_there(tmp_path):
    with pytest.raises(ValueError, match="numbers or texts.*'NoneType', 'str'"):
        write_columns(
            tmp_path / "x.npz", {}, {"group": np.array(["a", None], object)}
        )
    assert not list(tmp_path.iterdir())
