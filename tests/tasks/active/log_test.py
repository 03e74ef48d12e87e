"""Rounds are written whole, read again, and never mixed with others."""

import json
import os

import numpy as np
import pytest

from keras_plex.tasks.active.acquisitions import ACQUISITIONS
from keras_plex.tasks.active.log import Round
from keras_plex.tasks.active.log import RoundLog
from keras_plex.tasks.active.log import read_labels
from keras_plex.tasks.data_set import DataSet
from tests.task_cases import TEST
from tests.task_cases import logits_model
from tests.task_cases import poor_model

X, Y = TEST
MARGIN = "margin", ACQUISITIONS["margin"]
UNIFORM = "uniform", ACQUISITIONS["uniform"]
FOUND = Round([3, 1], [2], {"right": [1.0, 0.0], "nll": [0.1, 1 / 3]})


def test_what_is_written_is_read_again(tmp_path):
    log = RoundLog(tmp_path / "new" / "runs", logits_model(), {"seed": 0})
    assert log.read(MARGIN, 0) is None
    log.write(MARGIN, 0, FOUND)
    assert log.read(MARGIN, 0) == FOUND
    assert log.read(MARGIN, 1) is log.read(UNIFORM, 0) is None
    again = RoundLog(tmp_path / "new" / "runs", logits_model(), {"seed": 0})
    assert again.read(MARGIN, 0) == FOUND


def test_without_a_directory_nothing_is_kept():
    log = RoundLog(None, logits_model(), {})
    log.write(MARGIN, 0, FOUND)
    assert log.read(MARGIN, 0) is None


def test_other_settings_are_refused(tmp_path):
    RoundLog(tmp_path, logits_model(), {"seed": 0, "batch": 5})
    with pytest.raises(
        ValueError, match="rounds of another run.*seed=1 instead of 0$"
    ):
        RoundLog(tmp_path, logits_model(), {"seed": 1, "batch": 5})


def test_each_model_has_a_folder_of_its_own(tmp_path):
    one = RoundLog(tmp_path, logits_model(), {"seed": 0})
    other = RoundLog(tmp_path, poor_model(), {"seed": 1})
    one.write(MARGIN, 0, FOUND)
    assert other.read(MARGIN, 0) is None
    assert len(os.listdir(tmp_path)) == 2


def test_another_acquisition_of_that_name_has_files_of_its_own(tmp_path):
    log = RoundLog(tmp_path, logits_model(), {})
    for sign in (1, -1):
        mine = "mine", lambda predictions, sign=sign: sign * predictions.margin
        assert log.read(mine, 0) is None
        log.write(mine, 0, FOUND)
        assert log.read(mine, 0) == FOUND


def test_a_failed_write_leaves_nothing(tmp_path, monkeypatch):
    log = RoundLog(tmp_path, logits_model(), {})

    def fail(*arguments):
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        log.write(MARGIN, 0, FOUND)
    assert os.listdir(log.folder) == ["run.json"]
    assert log.read(MARGIN, 0) is None


@pytest.mark.parametrize("text", ["{", "[]", json.dumps({"labelled": []})])
def test_files_of_others_are_refused(tmp_path, text):
    log = RoundLog(tmp_path, logits_model(), {})
    log.write(MARGIN, 0, FOUND)
    [path] = log.folder.glob("margin-*_0000.json")
    path.write_text(text)
    with pytest.raises(ValueError, match="margin-.*_0000.json.*Delete it"):
        log.read(MARGIN, 0)


def fingerprint(data, batch_size=32, max_examples=None):
    return read_labels(DataSet(data), batch_size, max_examples)[1]


def test_the_fingerprint_is_of_the_examples_not_of_the_batches():
    labels, found = read_labels(DataSet(TEST), 7, None)
    np.testing.assert_array_equal(labels, Y)
    assert found == fingerprint(TEST, batch_size=64)
    assert found == fingerprint([(X[:100], Y[:100]), (X[100:], Y[100:])])
    first = fingerprint(TEST, max_examples=50)
    assert first == fingerprint((X[:50], Y[:50])) != found


def test_the_fingerprint_knows_every_change():
    order = np.roll(np.arange(300), 1)
    changed = X.copy()
    changed[299, 3] += 1e-6
    others = [
        (changed, Y),
        (X, np.where(np.arange(300) == 7, (Y + 1) % 4, Y)),
        (X[order], Y[order]),
        (X[:299], Y[:299]),
        ({"a": X, "b": X}, Y),
    ]
    found = {fingerprint(data) for data in (TEST, *others)}
    assert len(found) == 6


def test_texts_have_a_fingerprint():
    words = [(["one", "two"], np.array([0, 1]))]
    others = [(["one", "too"], np.array([0, 1]))]
    assert fingerprint(words) != fingerprint(others)
    assert fingerprint(words) == fingerprint(
        [(np.array(["one", "two"]), np.array([0, 1]))]
    )
