"""Each place has a file of its own, which tells what it is of."""

import numpy as np
import pytest

from keras_plex.tasks.resume.folder import EvidenceFolder
from tests.task_cases import logits_model
from tests.task_cases import poor_model

FACTS = {"task": ["calibration"], "data": "abc"}
COLUMNS = {"right": np.ones(3)}


def test_places_that_look_alike_have_files_of_their_own(tmp_path):
    folder = EvidenceFolder(tmp_path, logits_model(), 32, None)
    places = [("a", "b/c"), ("a", "b_c"), ("a-b", "c"), ("a", ""), ("x" * 300,)]
    for number, place in enumerate(places):
        folder.save(place, FACTS, {"n": number}, COLUMNS)
    for number, place in enumerate(places):
        description, columns = folder.restore(place, FACTS)
        assert description["n"] == number
        np.testing.assert_array_equal(columns["right"], COLUMNS["right"])


def test_other_facts_are_named(tmp_path):
    folder = EvidenceFolder(tmp_path, logits_model(), 32, None)
    folder.save(("a", "b"), FACTS, {}, COLUMNS)
    with pytest.raises(ValueError, match="of other data.*'abc'.*'xyz'"):
        folder.restore(("a", "b"), {**FACTS, "data": "xyz"})


def test_what_was_never_there_is_none(tmp_path):
    folder = EvidenceFolder(tmp_path / "new", logits_model(), 32, None)
    assert folder.restore(("a", "b"), FACTS) is None
    assert not (tmp_path / "new").exists()


def test_a_file_named_evidence_is_refused(tmp_path):
    (tmp_path / "evidence").write_text("mine")
    with pytest.raises(ValueError, match="must be a directory"):
        EvidenceFolder(tmp_path, logits_model(), 32, None)


@pytest.mark.parametrize(
    "model, batch_size, message",
    [
        (poor_model, 32, "evidence of another model"),
        (logits_model, 16, "evidence with other settings"),
    ],
)
def test_a_folder_is_of_one_model_whatever_the_task(
    tmp_path, model, batch_size, message
):
    folder = EvidenceFolder(tmp_path, logits_model(), 32, None)
    folder.save(("a", "b"), FACTS, {}, COLUMNS)
    EvidenceFolder(tmp_path, logits_model(), 32, None)
    with pytest.raises(ValueError, match=f"{message}.*Pass another directory"):
        EvidenceFolder(tmp_path, model(), batch_size, None)


def test_damaged_files_and_others_are_no_evidence(tmp_path):
    folder = EvidenceFolder(tmp_path, logits_model(), 32, None)
    folder.save(("a", "b"), FACTS, {}, COLUMNS)
    [path] = folder.folder.iterdir()
    path.write_bytes(path.read_bytes()[:-40])
    np.savez(folder.folder / "mine.npz", x=np.ones(2))
    EvidenceFolder(tmp_path, poor_model(), 32, None)
