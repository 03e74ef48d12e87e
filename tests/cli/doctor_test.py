"""The doctor tells versions and the pip line for what is missing."""

import importlib.metadata
import json
import pathlib
import tomllib

import keras

from keras_plex.cli import doctor
from keras_plex.cli.main import main


def test_json_has_the_installed_versions(capsys):
    assert main(["doctor", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["packages"]["keras"] == keras.__version__
    assert found["backend"] == keras.backend.backend()
    numpy = importlib.metadata.version("numpy")
    assert found["packages"]["numpy"] == numpy


def test_a_missing_package_comes_with_its_pip_line(capsys, monkeypatch):
    monkeypatch.setattr(doctor, "_version", lambda package: None)
    assert main(["doctor"]) == 0
    printed = capsys.readouterr().out
    assert "missing" in printed
    assert 'pip install "keras_plex[hub]"' in printed


def test_a_narrow_terminal_folds_the_pip_line(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setattr(doctor, "_version", lambda package: None)
    assert main(["doctor"]) == 0
    rows = [
        [cell.strip() for cell in line.split("\u2502")]
        for line in capsys.readouterr().out.splitlines()
        if "\u2502" in line
    ]
    assert "".join(row[1] for row in rows) == "".join(doctor.PACKAGES)
    lines = "".join(row[3] for row in rows).replace(" ", "")
    for extra in filter(None, doctor.PACKAGES.values()):
        assert f'pipinstall"keras_plex[{extra}]"' in lines


def test_every_extra_it_names_exists():
    root = pathlib.Path(__file__).resolve().parents[2]
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    extras = set(project["optional-dependencies"])
    assert {extra for extra in doctor.PACKAGES.values() if extra} <= extras
