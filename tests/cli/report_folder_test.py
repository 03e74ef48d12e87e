"""A report joins what an evaluation left, and nothing else."""

import pytest

from keras_plex.cli.report_folder import prepare_folder
from keras_plex.cli.report_folder import save_into


def save(folder):
    folder.mkdir()
    (folder / "report.json").write_text("{}")


def test_files_are_moved_beside_the_evidence(tmp_path):
    folder = tmp_path / "out"
    (folder / "evidence").mkdir(parents=True)
    save_into(prepare_folder(str(folder)), save)
    save_into(prepare_folder(str(folder)), save)
    assert {one.name for one in folder.iterdir()} == {"evidence", "report.json"}
    assert [one.name for one in tmp_path.iterdir()] == ["out"]


def test_a_failure_leaves_nothing(tmp_path):
    def fail(folder):
        save(folder)
        raise RuntimeError("full")

    with pytest.raises(RuntimeError):
        save_into(tmp_path / "out", fail)
    assert [one.name for one in tmp_path.iterdir()] == ["out"]
    assert not list((tmp_path / "out").iterdir())


def test_other_files_are_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(ValueError, match="holds other files.*thesis"):
        prepare_folder(str(tmp_path))
    with pytest.raises(ValueError, match="must be a folder"):
        prepare_folder(str(tmp_path / "thesis.txt"))
    assert prepare_folder(str(tmp_path / "new")) == tmp_path / "new"
    assert not (tmp_path / "new").exists()
