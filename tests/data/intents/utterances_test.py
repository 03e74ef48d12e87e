"""Handwritten files in the published formats."""

import collections

import pytest

from keras_plex.data.intents.utterances import Utterance
from keras_plex.data.intents.utterances import read_banking77
from keras_plex.data.intents.utterances import read_clinc150
from keras_plex.data.intents.utterances import read_hwu64
from tests.intent_files import write_banking77
from tests.intent_files import write_clinc150
from tests.intent_files import write_csv
from tests.intent_files import write_hwu64


def splits(utterances):
    return collections.Counter(one.split for one in utterances)


def test_clinc150_has_domains_and_utterances_without_an_intent(tmp_path):
    found = read_clinc150(write_clinc150(tmp_path / "clinc"))
    assert found[0] == Utterance(
        "send 5 dollars",
        "clinc150",
        "clinc150/banking",
        "clinc150/transfer",
        "train",
    )
    assert splits(found) == {"train": 3, "validation": 2, "test": 3}
    assert [x.text for x in found if not x.intent and x.split == "test"] == [
        "so what",
        "sing",
    ]
    same = read_clinc150(tmp_path / "clinc" / "data_full.json")
    assert same == found


def test_clinc150_must_be_complete(tmp_path):
    folder = write_clinc150(tmp_path / "clinc", data={"train": []})
    with pytest.raises(ValueError, match="must hold 'oos_train'"):
        read_clinc150(folder)
    write_clinc150(folder, domains={"travel": ["book_flight"]})
    with pytest.raises(ValueError, match=r"domains.json' must hold 'transfer'"):
        read_clinc150(folder)
    (folder / "domains.json").unlink()
    with pytest.raises(ValueError, match="There must be the file domains.json"):
        read_clinc150(folder)


def test_banking77_keeps_each_tenth_of_an_intent_for_validation(tmp_path):
    found = read_banking77(write_banking77(tmp_path / "banking"))
    assert splits(found) == {"train": 12, "validation": 1, "test": 1}
    [kept] = [one for one in found if one.split == "validation"]
    assert kept.text == "my card, number 9"
    assert kept.intent == "banking77/card_arrival"
    assert {one.domain for one in found} == {"banking77/banking"}


def test_columns_must_be_there(tmp_path):
    folder = write_banking77(tmp_path / "banking")
    write_csv(folder / "test.csv", ["a,b"], "text,label")
    with pytest.raises(ValueError, match=r"test.csv'.*lacks: \['category'\]"):
        read_banking77(folder)


def test_missing_folder_is_named(tmp_path):
    with pytest.raises(ValueError, match="file train.csv. .*'.*gone'"):
        read_banking77(tmp_path / "gone")


def test_hwu64_of_one_file_is_split_and_cleaned(tmp_path):
    found = read_hwu64(write_hwu64(tmp_path / "hwu.csv"))
    assert len(found) == 22, "irrelevant or empty ones stay"
    assert splits(found) == {"train": 18, "validation": 2, "test": 2}
    assert found[8].split == "validation" and found[9].split == "test"
    assert found[0].intent == "hwu64/alarm_set"
    assert found[-1].domain == "hwu64/music"


def test_hwu64_of_a_folder_keeps_its_splits(tmp_path):
    for number, name in enumerate(("train.csv", "val.csv", "test.csv")):
        write_csv(tmp_path / "hwu" / name, [f"wake me {number},alarm_set"])
    found = read_hwu64(tmp_path / "hwu")
    assert [one.split for one in found] == ["train", "validation", "test"]
    assert {one.domain for one in found} == {"hwu64/alarm"}
