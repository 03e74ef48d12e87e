"""A score's file is whole or absent, and holds no code."""

import numpy as np
import pytest

from keras_plex.scores.files import read_score
from keras_plex.scores.files import write_score

DESCRIPTION = {"name": "knn", "config": {"k": 2}}


def test_what_is_written_is_read(tmp_path):
    path = tmp_path / "a score"  # no suffix is added
    arrays = {"bank": np.arange(6, dtype="float32").reshape(2, 3)}
    write_score(path, DESCRIPTION, arrays)
    description, found = read_score(path)
    assert description == DESCRIPTION
    assert list(found) == ["bank"] and found["bank"].dtype == "float32"
    np.testing.assert_array_equal(found["bank"], arrays["bank"])
    assert [p.name for p in tmp_path.iterdir()] == ["a score"]


def test_failure_leaves_the_old_file_and_no_other(tmp_path):
    path = tmp_path / "score.npz"
    write_score(path, DESCRIPTION, {})
    with pytest.raises(TypeError):
        write_score(path, {"name": object()}, {})

    class Unwritable:
        def __array__(self, dtype=None, copy=None):
            raise RuntimeError("disk on fire")

    with pytest.raises(RuntimeError, match="disk on fire"):
        write_score(path, {"name": "other"}, {"bank": Unwritable()})
    assert read_score(path)[0] == DESCRIPTION
    assert [p.name for p in tmp_path.iterdir()] == ["score.npz"]


def test_other_files_are_an_error(tmp_path):
    text, arrays = tmp_path / "score.txt", tmp_path / "arrays.npz"
    text.write_text("no score")
    np.savez(arrays, x=np.ones(2))
    for path in (text, arrays):
        with pytest.raises(ValueError, match=f"must be a file.*{path.name}"):
            read_score(path)
    with pytest.raises(FileNotFoundError):
        read_score(tmp_path / "absent.npz")


def test_pickled_objects_are_never_loaded(tmp_path):
    path = tmp_path / "score.npz"
    np.savez(path, keras_plex_score=np.array([{"a": 1}], dtype=object))
    with pytest.raises(ValueError, match="must be a file"):
        read_score(path)


def test_objects_are_refused_before_a_file_is_there(tmp_path):
    with pytest.raises(ValueError, match=r"numbers.*\['bank'\]"):
        write_score(tmp_path / "s", {}, {"bank": np.array([None, 1.0])})
    assert not list(tmp_path.iterdir())


def test_a_file_holds_its_arrays_alone(tmp_path):
    # NumPy before 2.2 saved the arguments that it did not know, too.
    write_score(tmp_path / "s", DESCRIPTION, {"bank": np.ones(2)})
    assert list(read_score(tmp_path / "s")[1]) == ["bank"]
