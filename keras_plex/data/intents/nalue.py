"""NaLUE: three collections of intents as one benchmark of reliability."""

import collections
import dataclasses
import os
from collections.abc import Mapping
from collections.abc import Sequence

import numpy as np

from keras_plex.data.intents.utterances import Utterance
from keras_plex.data.intents.utterances import read_banking77
from keras_plex.data.intents.utterances import read_clinc150
from keras_plex.data.intents.utterances import read_hwu64

SPLITS = ("train", "validation", "test")


@dataclasses.dataclass(frozen=True)
class IntentData:
    """One split of `nalue`.

    Args:
        in_scope: `(texts, labels)`; labels are places in `Nalue.intents`.
        domains: `(examples,)`, the domain of each: groups for
            `SubpopulationShift`.
        tail: `(texts, labels)` of the rarest intents; they are in `in_scope`,
            too.
        near_oos: texts of intents that are held out, although others of their
            domain are known.
        standard_oos: texts that no collection has an intent for.
    """

    in_scope: tuple[np.ndarray, np.ndarray]
    domains: np.ndarray
    tail: tuple[np.ndarray, np.ndarray]
    near_oos: np.ndarray
    standard_oos: np.ndarray


@dataclasses.dataclass(frozen=True)
class Nalue:
    """What `nalue` gives.

    Args:
        intents: the known ones, in the order of the labels.
        near_oos_intents: those held out.
        tail_intents: the rarest of the known ones.
        train: data of the split, as `IntentData`.
        validation: likewise.
        test: likewise.
    """

    intents: tuple[str, ...]
    near_oos_intents: tuple[str, ...]
    tail_intents: tuple[str, ...]
    train: IntentData
    validation: IntentData
    test: IntentData


def nalue(
    *,
    clinc150: str | os.PathLike,
    banking77: str | os.PathLike,
    hwu64: str | os.PathLike,
    near_oos_intents: Sequence[str] | None = None,
    tail_intents: Sequence[str] | None = None,
) -> Nalue:
    r"""Joins CLINC150, BANKING77 and HWU64, from files that you have.

    The lists of intents that the paper held out and called the tail were not
    published with its code, nor were its splits of the two last collections.
    Without lists of yours, the last intent by name of each tenth of a
    collection, sorted by domain, is held out, so that its neighbours stay; and
    the tail are the intents with the fewest training examples, up to an eighth
    of all training examples. Both are shares that the paper's own counts show.
    Equal utterances are kept once, in the test if it has one: no test example
    stands in the training data.

    Args:
        clinc150: `data_full.json` with `domains.json` beside it, or their
            folder.
        banking77: the folder of `train.csv` and `test.csv`.
        hwu64: `NLU-Data-Home-Domain-Annotated-All.csv`, or a folder of
            `train.csv`, `val.csv` and `test.csv`.
        near_oos_intents: names such as `"hwu64/alarm_set"` to hold out.
        tail_intents: names to call the tail.

    Raises:
        ValueError: for a file that is missing or has another format.

    Example:

    >>> import json, pathlib
    >>> clinc150 = {
    ...     "train": [["hi", "greet"]],
    ...     "val": [],
    ...     "test": [["hello", "greet"]],
    ...     "oos_train": [],
    ...     "oos_val": [],
    ...     "oos_test": [["so what", "oos"]],
    ... }
    >>> files = {
    ...     "data_full.json": json.dumps(clinc150),
    ...     "domains.json": json.dumps({"talk": ["greet"]}),
    ...     "train.csv": "text,category\nwhere is my card,card_arrival",
    ...     "val.csv": "text,category",
    ...     "test.csv": "text,category\nno card yet,card_arrival",
    ... }
    >>> for name, text in files.items():
    ...     size = pathlib.Path(name).write_text(text)
    >>> data = nalue(clinc150=".", banking77=".", hwu64=".")
    >>> data.intents
    ('banking77/card_arrival', 'clinc150/greet')
    >>> data.test.in_scope[0].tolist(), data.test.standard_oos.tolist()
    (['hello', 'no card yet'], ['so what'])

    Reference:
        Tran et al., 2022, "Plex: towards reliability using pretrained large
        model extensions"; Larson et al., 2019; Casanueva et al., 2020; Liu et
        al., 2019.
    """
    utterances = _without_repeats(
        [
            *read_clinc150(clinc150),
            *read_banking77(banking77),
            *read_hwu64(hwu64),
        ]
    )
    domain_of = {one.intent: one.domain for one in utterances if one.intent}
    held_out = _chosen(
        near_oos_intents, "near_oos_intents", domain_of, _each_tenth
    )
    known = sorted(set(domain_of) - set(held_out))
    counts = collections.Counter(
        one.intent for one in utterances if one.split == "train"
    )
    tail = _chosen(
        tail_intents,
        "tail_intents",
        {intent: counts[intent] for intent in known},
        _rarest,
    )
    parts = {
        split: _intent_data(
            [one for one in utterances if one.split == split],
            {intent: label for label, intent in enumerate(known)},
            set(held_out),
            set(tail),
        )
        for split in SPLITS
    }
    return Nalue(tuple(known), held_out, tail, **parts)


def _without_repeats(utterances: list[Utterance]) -> list[Utterance]:
    """Each text once; of splits that share one, the test keeps it."""
    place = {split: -number for number, split in enumerate(SPLITS)}
    ordered = sorted(utterances, key=lambda one: place[one.split])
    first: dict[str, Utterance] = {}
    for one in ordered:
        first.setdefault(one.text.lower(), one)
    kept = set(map(id, first.values()))
    return [one for one in utterances if id(one) in kept]


def _chosen(names, argument: str, known: Mapping, choose) -> tuple[str, ...]:
    if names is None:
        return choose(known)
    unknown = sorted(set(names) - set(known))
    if unknown:
        raise ValueError(
            f"`{argument}` must be intents of the three collections, as "
            f'"hwu64/alarm_set". Received: {unknown[:3]}'
        )
    return tuple(sorted(set(names)))


def _each_tenth(domain_of: Mapping[str, str]) -> tuple[str, ...]:
    """Intents spread over the domains of each collection."""
    ordered = sorted(domain_of, key=lambda intent: (domain_of[intent], intent))
    sources: dict[str, list[str]] = {}
    for intent in ordered:
        sources.setdefault(intent.partition("/")[0], []).append(intent)
    return tuple(
        sorted(one for names in sources.values() for one in names[9::10])
    )


def _rarest(counts: Mapping[str, int]) -> tuple[str, ...]:
    """The intents with the fewest examples, up to an eighth of all."""
    ordered = sorted(counts, key=lambda intent: (counts[intent], intent))
    total = np.cumsum([counts[intent] for intent in ordered])
    number = int(np.searchsorted(total, total[-1] / 8, side="right"))
    return tuple(sorted(ordered[:number]))


def _intent_data(
    utterances: list[Utterance],
    labels: Mapping[str, int],
    held_out: set[str],
    tail: set[str],
) -> IntentData:
    in_scope = [one for one in utterances if one.intent in labels]
    return IntentData(
        in_scope=_labelled(in_scope, labels),
        domains=np.array([one.domain for one in in_scope], str),
        tail=_labelled([one for one in in_scope if one.intent in tail], labels),
        near_oos=_texts([one for one in utterances if one.intent in held_out]),
        standard_oos=_texts([one for one in utterances if not one.intent]),
    )


def _labelled(
    utterances: list[Utterance], labels: Mapping[str, int]
) -> tuple[np.ndarray, np.ndarray]:
    found = np.array([labels[one.intent] for one in utterances], "int64")
    return _texts(utterances), found


def _texts(utterances: list[Utterance]) -> np.ndarray:
    return np.array([one.text for one in utterances], dtype=object)
