"""What lies in a directory decides, and nothing else."""

import pathlib
import shutil

import pytest

from keras_plex.data.named.directories import INTERRUPTED
from keras_plex.data.named.directories import MISSING
from keras_plex.data.named.directories import READY
from keras_plex.data.named.directories import data_directory
from keras_plex.data.named.directories import find_place
from keras_plex.data.named.directories import manual_directory
from keras_plex.data.named.table import DATA_SETS
from tests.named_data import no_network
from tests.named_data import prepare

CIFAR10, HANS = DATA_SETS["cifar10"], DATA_SETS["hans"]


@pytest.fixture(autouse=True)
def offline():
    with no_network():
        yield


def test_directory_is_that_of_tfds_unless_named(monkeypatch):
    monkeypatch.delenv("TFDS_DATA_DIR", raising=False)
    home = pathlib.Path.home() / "tensorflow_datasets"
    assert data_directory(None) == home
    monkeypatch.setenv("TFDS_DATA_DIR", "/elsewhere")
    assert data_directory(None) == pathlib.Path("/elsewhere")
    assert data_directory("/here") == pathlib.Path("/here")
    assert manual_directory(home) == home / "downloads" / "manual"


def test_nothing_there(tmp_path):
    place = find_place(CIFAR10, tmp_path)
    assert place.state == MISSING and not place.remains
    assert place.path == tmp_path / "cifar10" / "3.0.2"


@pytest.mark.parametrize("name", ["cifar10", "mnli", "hans"])
def test_what_was_prepared_is_ready(name, tmp_path):
    path = prepare(name, tmp_path)
    place = find_place(DATA_SETS[name], tmp_path)
    assert (place.path, place.state, place.remains) == (path, READY, ())


def test_lacking_shard_is_no_data_set(tmp_path):
    path = prepare("cifar10", tmp_path)
    [shard] = path.glob("cifar10-test.*")
    shard.unlink()
    place = find_place(CIFAR10, tmp_path)
    assert (place.state, place.remains) == (INTERRUPTED, (shard,))


@pytest.mark.parametrize("text", [None, "", "{", "{}"])
def test_directory_without_its_description_is_no_data_set(text, tmp_path):
    path = prepare("cifar10", tmp_path) / "dataset_info.json"
    path.unlink()
    if text is not None:
        path.write_text(text)
    place = find_place(CIFAR10, tmp_path)
    assert (place.state, place.remains) == (INTERRUPTED, (path,))


def test_interrupted_preparation_is_seen(tmp_path):
    left = tmp_path / "cifar10" / "incomplete.AB12CD_3.0.2"
    left.mkdir(parents=True)
    place = find_place(CIFAR10, tmp_path)
    assert (place.state, place.remains) == (INTERRUPTED, (left,))


def test_other_version_is_not_taken_and_is_named(tmp_path):
    path = prepare("cifar10", tmp_path)
    other = path.with_name("2.0.0")
    shutil.move(path, other)
    place = find_place(CIFAR10, tmp_path)
    assert (place.state, place.remains) == (MISSING, (other,))


def test_file_is_a_data_set(tmp_path):
    place = find_place(HANS, tmp_path)
    assert place.state == MISSING
    assert place.path == tmp_path / "hans" / "heuristics_evaluation_set.txt"
