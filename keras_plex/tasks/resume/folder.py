"""A folder of evidence: what a model said about data sets, a file for each."""

import hashlib
import json
import os
import pathlib
import re
from collections.abc import Mapping

import keras
import numpy as np

from keras_plex.tasks.fingerprints import fingerprint_model
from keras_plex.tasks.resume.files import read_columns
from keras_plex.tasks.resume.files import read_description
from keras_plex.tasks.resume.files import write_columns
from keras_plex.types import Config

FOLDER = "evidence"
SCHEMA = "keras_plex.evidence/2"

# Entry of a file's description -> what it means that it differs.
DIFFERENCES = {
    "schema": "of another version of keras_plex",
    "model": "of another model, or of other weights or settings",
    "settings": "with other settings",
    "task": "of another task, or one with other options",
    "data": "of other data",
    "training": "of scores fitted to other training data",
    "scores": "with other scores",
}


class EvidenceFolder:
    """Columns in files that tell what they are of.

    Args:
        directory: whose folder `evidence` holds the files.
        model: that is measured.
        batch_size: for arrays.
        max_examples: of each set, the first ones.

    Raises:
        ValueError: for a directory with evidence of another model, or with
            other settings, whatever the task.
    """

    def __init__(
        self,
        directory: str | os.PathLike,
        model: keras.Model,
        batch_size: int,
        max_examples: int | None,
    ):
        self.folder = pathlib.Path(directory) / FOLDER
        for path in (self.folder.parent, self.folder):
            if path.exists() and not path.is_dir():
                raise ValueError(
                    "`directory` must be a directory. "
                    f"Received: the file {str(path)!r}"
                )
        self.common = {
            "schema": SCHEMA,
            "model": fingerprint_model(model),
            "settings": {
                "batch_size": batch_size,
                "max_examples": max_examples,
                "backend": keras.config.backend(),
            },
        }
        for path in sorted(self.folder.glob("*.npz")):
            found = read_description(path)
            if found is not None:
                self._check(path, found, self.common)

    def restore(
        self, place: tuple[str, str], facts: Config
    ) -> tuple[Config, dict[str, np.ndarray]] | None:
        """The description and the columns of a file; `None` for none.

        Args:
            place: the names of the task and of the set.
            facts: what must be as it was: keys of `DIFFERENCES`.

        Raises:
            ValueError: for a file of another model, task or data.
        """
        path = self._file_of(place)
        read = read_columns(path)
        if read is None:
            return None
        self._check(path, read[0], {**self.common, **facts})
        return read

    def save(
        self,
        place: tuple[str, str],
        facts: Config,
        found: Config,
        columns: Mapping[str, np.ndarray],
    ) -> None:
        """Keeps columns; whoever is killed meanwhile leaves no half file.

        Args:
            place: the names of the task and of the set.
            facts: as for `restore`.
            found: what else is to be kept, beside these.
            columns: by name.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        description = {**self.common, **facts, **found}
        write_columns(self._file_of(place), description, columns)

    def _check(
        self, path: pathlib.Path, found: Config, expected: Config
    ) -> None:
        """Raises for a file that is not of what is expected."""
        for name, value in json.loads(json.dumps(expected)).items():
            if found.get(name) != value:
                raise ValueError(
                    f"{str(path)!r} holds evidence {DIFFERENCES[name]}. Pass "
                    "another directory, or the same model, data and settings "
                    f"as before; or remove {str(self.folder)!r} to measure "
                    f"anew. There: {name}={found.get(name)!r}. "
                    f"Received: {name}={value!r}"
                )

    def _file_of(self, place: tuple[str, str]) -> pathlib.Path:
        """A name that can be read, and that no two places share."""
        readable = re.sub(r"[^\w-]+", "_", "-".join(filter(None, place)))[:80]
        exact = hashlib.blake2b(repr(place).encode(), digest_size=4)
        return self.folder / f"{readable}-{exact.hexdigest()}.npz"
