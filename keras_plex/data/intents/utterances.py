"""What people say to assistants, and what they want, from three public files.

Each reader gives `Utterances` of the splits `"train"`, `"validation"` and
`"test"`, in the order of the file.
"""

import csv
import json
import os
import pathlib
from collections.abc import Iterable
from collections.abc import Mapping
from typing import NamedTuple

# Where a file has no split of its own, each tenth example of an intent.
TENTH = 10


class Utterance(NamedTuple):
    """One utterance.

    Args:
        text: what was said.
        source: the collection, `"clinc150"`, `"banking77"` or `"hwu64"`.
        domain: what it is about, as in `"hwu64/alarm"`.
        intent: what is wanted, as in `"hwu64/alarm_set"`; `""` for none that
            the collection knows.
        split: `"train"`, `"validation"` or `"test"`.
    """

    text: str
    source: str
    domain: str
    intent: str
    split: str


def read_clinc150(path: str | os.PathLike) -> list[Utterance]:
    """CLINC150: `data_full.json`, with `domains.json` beside it.

    Args:
        path: of `data_full.json`, or of the folder of both.
    """
    path = _file_of(path, "data_full.json")
    data = json.loads(path.read_text(encoding="utf-8"))
    domains = json.loads(
        _file_of(path.parent, "domains.json").read_text(encoding="utf-8")
    )
    domain_of = {
        intent: domain
        for domain, all_of in domains.items()
        for intent in all_of
    }
    found = []
    for split, key in _SPLITS_OF_CLINC150.items():
        for text, intent in _known(data, key, path):
            domain = _known(domain_of, intent, path.parent / "domains.json")
            found.append(_utterance(text, "clinc150", domain, intent, split))
        for text, _ in _known(data, f"oos_{key}", path):
            found.append(Utterance(text, "clinc150", "", "", split))
    return found


def read_banking77(path: str | os.PathLike) -> list[Utterance]:
    """BANKING77: a folder with `train.csv` and `test.csv`.

    Each tenth training example of an intent is for validation.

    Args:
        path: of the folder.
    """
    found = []
    for split in ("train", "test"):
        rows = _read_csv(_file_of(path, f"{split}.csv"), ("text", "category"))
        for text, intent in rows:
            found.append(
                _utterance(text, "banking77", "banking", intent, split)
            )
    return _keep_tenths(found, {9: "validation"})


def read_hwu64(path: str | os.PathLike) -> list[Utterance]:
    """HWU64: the annotated csv of its authors, or a folder of three splits.

    Of the one file, from each ten examples of an intent the ninth is for
    validation and the tenth for the test; examples that its authors marked as
    irrelevant are left out. In the folder are `train.csv`, `val.csv` and
    `test.csv`, each with `text` and `category`.

    Args:
        path: of `NLU-Data-Home-Domain-Annotated-All.csv`, or of the folder.
    """
    path = pathlib.Path(path)
    if path.is_dir():
        found = []
        for split, name in _SPLITS_OF_HWU64.items():
            rows = _read_csv(_file_of(path, name), ("text", "category"))
            for text, intent in rows:
                domain = intent.partition("_")[0]
                found.append(_utterance(text, "hwu64", domain, intent, split))
        return found
    columns = ("answer", "scenario", "intent", "status")
    rows = _read_csv(_file_of(path, path.name), columns, delimiter=";")
    found = [
        _utterance(text, "hwu64", domain, f"{domain}_{intent}", "train")
        for text, domain, intent, status in rows
        if text.strip() and not status.startswith("IRR")
    ]
    return _keep_tenths(found, {8: "validation", 9: "test"})


_SPLITS_OF_CLINC150 = {"train": "train", "validation": "val", "test": "test"}
_SPLITS_OF_HWU64 = {
    "train": "train.csv",
    "validation": "val.csv",
    "test": "test.csv",
}


def _utterance(
    text: str, source: str, domain: str, intent: str, split: str
) -> Utterance:
    return Utterance(
        text.strip(), source, f"{source}/{domain}", f"{source}/{intent}", split
    )


def _file_of(path: str | os.PathLike, name: str) -> pathlib.Path:
    path = pathlib.Path(path)
    file = path / name if path.is_dir() else path
    if not file.is_file():
        raise ValueError(
            f"There must be the file {name}. Fetch it, or pass the folder "
            f"that it lies in. Received: {str(path)!r}"
        )
    return file


def _known(table: Mapping, key: str, path: pathlib.Path):
    if key not in table:
        raise ValueError(
            f"{str(path)!r} must hold {key!r}, as the published file does. "
            f"Received: {list(table)[:8]}"
        )
    return table[key]


def _read_csv(
    path: pathlib.Path, columns: tuple[str, ...], *, delimiter: str = ","
) -> Iterable[list[str]]:
    with open(path, encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file, delimiter=delimiter)
        missing = set(columns) - set(rows.fieldnames or ())
        if missing:
            raise ValueError(
                f"{str(path)!r} must have the columns {list(columns)}. It "
                f"lacks: {sorted(missing)}"
            )
        return [[row[column] or "" for column in columns] for row in rows]


def _keep_tenths(
    utterances: list[Utterance], kept: Mapping[int, str]
) -> list[Utterance]:
    """Moves some of each ten training examples of an intent elsewhere."""
    seen: dict[str, int] = {}
    found = []
    for one in utterances:
        if one.split == "train":
            place = seen.get(one.intent, 0)
            seen[one.intent] = place + 1
            one = one._replace(split=kept.get(place % TENTH, "train"))
        found.append(one)
    return found
