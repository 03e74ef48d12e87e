"""The rounds of active learning on disk, so that a killed run goes on."""

import hashlib
import json
import os
import pathlib
import zlib
from typing import Any
from typing import NamedTuple

import keras
import numpy as np
from keras import tree

from keras_plex.batches import as_array
from keras_plex.batches import is_texts
from keras_plex.files import whole_file
from keras_plex.tasks.data_set import DataSet
from keras_plex.tasks.few_shot.features import labelled_batches
from keras_plex.tasks.fingerprints import fingerprint_model
from keras_plex.tasks.resume.values import describe_value

SCHEMA = "keras_plex.active_learning/1"
RUN_FILE = "run.json"


class Round(NamedTuple):
    """What one round found.

    Args:
        labelled: places in the pool, in the order in which they were labelled.
        chosen: those to be labelled next; none in the last round.
        columns: numbers of the test examples, by name.
    """

    labelled: list[int]
    chosen: list[int]
    columns: dict[str, list[float]]


class RoundLog:
    """Writes and reads rounds; a file is whole or not there.

    Each model has a folder of its own in the directory, named after its
    fingerprint. `run.json` there holds the settings; a run with others is
    refused.

    Args:
        directory: where to; `None` keeps nothing.
        model: whose rounds they are.
        settings: plain data that decide what the rounds find.
    """

    def __init__(
        self,
        directory: str | os.PathLike | None,
        model: keras.Model,
        settings: dict[str, Any],
    ):
        self.folder: pathlib.Path | None = None
        if directory is None:
            return
        mark = fingerprint_model(model)
        self.folder = pathlib.Path(directory) / f"model-{mark}"
        settings = {"schema": SCHEMA, **settings}
        path = self.folder / RUN_FILE
        if path.exists():
            _check_same(path, _read(path), settings)
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        _write(path, settings)

    def read(self, acquisition: tuple[str, Any], number: int) -> Round | None:
        """The round, if it was finished.

        Args:
            acquisition: its name, and an entry of `ACQUISITIONS`. Another of
                that name has files of its own.
            number: of the round.
        """
        path = self._file_of(acquisition, number)
        if path is None or not path.exists():
            return None
        found = _read(path)
        if set(found) != set(Round._fields):
            raise _not_ours(path)
        return Round(**found)

    def write(
        self, acquisition: tuple[str, Any], number: int, found: Round
    ) -> None:
        path = self._file_of(acquisition, number)
        if path is not None:
            _write(path, found._asdict())

    def _file_of(
        self, acquisition: tuple[str, Any], number: int
    ) -> pathlib.Path | None:
        if self.folder is None:
            return None
        name, function = acquisition
        known = describe_value(function, f"the acquisition {name!r}")
        mark = hashlib.blake2b(repr(known).encode(), digest_size=4).hexdigest()
        return self.folder / f"{name}-{mark}_{number:04d}.json"


def read_labels(
    data_set: DataSet, batch_size: int, max_examples: int | None
) -> tuple[np.ndarray, str]:
    """The class of each example, and a fingerprint of inputs and classes."""
    labels, sums, done = [], {}, 0
    for x, y, count in labelled_batches(data_set, batch_size, max_examples):
        labels.append(y)
        # A list of texts is one input.
        leaves = [np.array(x)] if is_texts(x) else tree.flatten(x)
        for place, leaf in enumerate(leaves):
            content = _content(leaf, count)
            sums[place] = zlib.crc32(content, sums.get(place, 0))
        done += count
    found = np.concatenate(labels)
    sums = [done, *sums.values(), zlib.crc32(found.tobytes())]
    return found, "-".join(f"{one:08x}" for one in sums)


def _content(leaf: Any, count: int) -> bytes:
    array = as_array(leaf)[:count]
    if array.dtype.kind in "OSU":
        return "\0".join(map(str, array.reshape(-1).tolist())).encode()
    return np.ascontiguousarray(array).tobytes()


def _check_same(
    path: pathlib.Path, found: dict[str, Any], settings: dict[str, Any]
) -> None:
    others = [key for key in settings if found.get(key) != settings[key]]
    if others:
        received = ", ".join(
            f"{key}={settings[key]!r} instead of {found.get(key)!r}"
            for key in others
        )
        raise ValueError(
            f"The directory {str(path.parent)!r} holds the rounds of another "
            "run. Pass a new one, or the settings and data of that run to go "
            f"on with it. Received: {received}"
        )


def _read(path: pathlib.Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise _not_ours(path)
    return found


def _not_ours(path: pathlib.Path) -> ValueError:
    return ValueError(
        f"The file {str(path)!r} was not written by active learning, or was "
        "changed. Delete it to have that round again, or pass another "
        "directory."
    )


def _write(path: pathlib.Path, content: dict[str, Any]) -> None:
    with whole_file(path) as file:
        file.write(json.dumps(content).encode())
