"""Three tiny collections: what is known, held out and rare, by counting."""

import json

import numpy as np
import pytest

import keras_plex.data
from keras_plex.data import nalue
from tests import intent_files as files


def paths(folder, clinc150=None):
    return {
        "clinc150": clinc150 or files.write_clinc150(folder / "clinc150"),
        "banking77": files.write_banking77(folder / "banking77"),
        "hwu64": files.write_hwu64(folder / "hwu64.csv"),
    }


def many_intents(folder):
    """Twenty intents of CLINC150, ten in each of two domains."""
    names = [f"intent_{i:02d}" for i in range(20)]
    data = {
        split: [
            [f"{split} {name} {i}", name] for name in names for i in range(3)
        ]
        for split in ("train", "val", "test")
    }
    oos = {f"oos_{split}": [[f"{split}?", "oos"]] for split in data}
    return files.write_clinc150(
        folder / "many", data | oos, {"a": names[:10], "b": names[10:]}
    )


def test_parts_are_counted(tmp_path):
    data = nalue(
        **paths(tmp_path), near_oos_intents=["hwu64/alarm_set"], tail_intents=[]
    )
    assert data.intents == (
        "banking77/card_arrival",
        "banking77/top_up",
        "clinc150/book_flight",
        "clinc150/transfer",
        "hwu64/music_query",
    )
    assert data.near_oos_intents == ("hwu64/alarm_set",)
    texts, labels = data.test.in_scope
    assert dict(zip(texts, labels, strict=True)) == {
        "a ticket": 2,
        "where is my card": 0,
    }
    assert data.test.domains.tolist() == [
        "clinc150/travel",
        "banking77/banking",
    ]
    assert data.test.standard_oos.tolist() == ["so what", "sing"]
    assert data.test.near_oos.tolist() == ["alarm set 9", "alarm set 19"]
    assert len(data.train.near_oos) == 17
    assert len(data.train.in_scope[0]) == 2 + 12 + 1


def test_each_tenth_intent_is_held_out_and_its_neighbours_stay(tmp_path):
    data = nalue(**paths(tmp_path, many_intents(tmp_path)))
    assert data.near_oos_intents == (
        "clinc150/intent_09",
        "clinc150/intent_19",
    )
    known = {name for name in data.intents if name.startswith("clinc150")}
    assert len(known) == 18
    assert len(data.test.near_oos) == 6
    assert set(data.test.near_oos) & set(data.test.in_scope[0]) == set()


def test_tail_are_the_rarest_up_to_an_eighth(tmp_path):
    data = nalue(**paths(tmp_path, many_intents(tmp_path)))
    counts = np.bincount(data.train.in_scope[1], minlength=len(data.intents))
    tail = [data.intents.index(name) for name in data.tail_intents]
    others = np.setdiff1d(np.arange(len(counts)), tail)
    assert 0 < counts[tail].sum() <= counts.sum() / 8
    assert counts[tail].max() <= counts[others].min()
    assert set(data.train.tail[1]) == set(tail)
    assert set(data.train.tail[0]) <= set(data.train.in_scope[0])


def test_repeated_text_stays_in_the_test_alone(tmp_path):
    folder = files.write_clinc150(
        tmp_path / "twice",
        {
            "train": [["Hello", "greet"], ["hi", "greet"]],
            "val": [["hello", "greet"]],
            "test": [["hello", "greet"]],
            "oos_train": [["hello", "oos"]],
            "oos_val": [],
            "oos_test": [],
        },
        {"talk": ["greet"]},
    )
    data = nalue(**paths(tmp_path, folder))
    assert "hello" in data.test.in_scope[0]
    for part in (data.train, data.validation):
        assert "hello" not in [text.lower() for text in part.in_scope[0]]
    assert not len(data.train.standard_oos)


@pytest.mark.parametrize("argument", ["near_oos_intents", "tail_intents"])
def test_unknown_intent_is_refused(argument, tmp_path):
    with pytest.raises(ValueError, match=f"`{argument}` must be intents.*/no'"):
        nalue(**paths(tmp_path), **{argument: ["hwu64/no"]})


def test_clinc150_of_its_authors(shared_data, tmp_path):
    folder = shared_data / "text" / "clinc150"
    data = nalue(**paths(tmp_path, folder))
    known = [name for name in data.intents if name.startswith("clinc150")]
    assert len(known) == 150 - 15
    assert len(data.test.standard_oos) == 1000
    held_out = [x for x in data.near_oos_intents if x.startswith("clinc150")]
    # One or two of the fifteen intents of each of ten domains.
    domains = {
        domain: sum(name in known for name in names)
        for domain, names in _domains(folder).items()
    }
    assert len(held_out) == 15 and set(domains.values()) == {13, 14}
    assert len(data.train.in_scope[0]) > 135 * 99


def _domains(folder):
    domains = json.loads((folder / "domains.json").read_text())
    return {
        domain: [f"clinc150/{name}" for name in names]
        for domain, names in domains.items()
    }


def test_it_is_public():
    assert keras_plex.data.nalue is nalue
    assert "cifar10" in keras_plex.data.DATA_SETS
