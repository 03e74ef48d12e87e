"""The demo runs, reports what it measured, and spoils nothing."""

import json

import matplotlib.image
import pytest

from keras_plex.cli import demo
from keras_plex.cli.main import main


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo") / "out"
    arguments = ["--stock-epochs", "2", "--epochs", "1", "--seed", "3"]
    assert main(["demo", "--output", str(folder), *arguments]) == 0
    return folder


def test_it_writes_report_picture_model_and_export(folder):
    names = {path.name for path in folder.iterdir()}
    assert names == {
        "report.json",
        "report.md",
        "reliability.png",
        "model.keras",
        "serving",
    }
    assert (folder / "serving" / "1" / "saved_model.pb").is_file()
    picture = matplotlib.image.imread(folder / "reliability.png")
    assert picture.shape[1] > 1000
    assert picture.std() > 0.05


def test_its_report_holds_the_measured_numbers(folder):
    report = json.loads((folder / "report.json").read_text())
    assert report["seed"] == 3
    assert report["reloaded_is_equal"] is True
    stock, plex = report["models"]
    assert (stock["name"], plex["name"]) == ("stock", "plex")
    assert stock["cost_ratio"] == 1.0
    for row in (stock, plex):
        assert 0.0 < row["test"]["accuracy"] <= 1.0
        assert row["test"]["nll"] > 0.0
    assert "variance" in plex["ood"] and "variance" not in stock["ood"]
    assert "ood/unknown/msp_auroc" in report["history"]
    assert len(report["answer"]["label"]) == 200
    text = (folder / "report.md").read_text()
    accuracy = f"{plex['test']['accuracy']:.3f}"
    assert accuracy in text and "reliability.png" in text


def test_a_folder_with_other_files_is_left_alone(tmp_path, capsys):
    (tmp_path / "thesis.txt").write_text("mine")
    assert main(["demo", "--output", str(tmp_path)]) == 2
    assert "holds other files" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_folder_of_an_earlier_demo_is_used_again(folder):
    assert demo.prepare_folder(str(folder)) == folder


def test_no_epochs_are_refused_before_any_work(tmp_path, capsys):
    output = str(tmp_path / "out")
    assert main(["demo", "--output", output, "--epochs", "0"]) == 2
    assert "must be positive" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_missing_package_comes_with_the_pip_line(monkeypatch):
    monkeypatch.setitem(demo.NEEDED, "no_such_package", "for nothing")
    with pytest.raises(ImportError, match=r'pip install "keras_plex\[demo\]"'):
        demo.check_packages()
