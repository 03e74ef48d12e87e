"""Evidence in files, so that an evaluation that was killed goes on."""

import hashlib
import os
import pathlib
import re
from collections.abc import Hashable
from collections.abc import Sequence

import keras

from keras_plex.tasks.collect import OnProgress
from keras_plex.tasks.collect import check_tasks
from keras_plex.tasks.collect import collect_evidence
from keras_plex.tasks.evidence_files import read_columns
from keras_plex.tasks.evidence_files import write_columns
from keras_plex.tasks.examples import Evidence
from keras_plex.tasks.fingerprints import describe_score
from keras_plex.tasks.fingerprints import fingerprint_data
from keras_plex.tasks.fingerprints import fingerprint_model
from keras_plex.tasks.parts import Columns
from keras_plex.tasks.parts import Part
from keras_plex.tasks.parts import ReadyScores
from keras_plex.tasks.parts import Use
from keras_plex.tasks.parts import join_parts
from keras_plex.tasks.parts import uses_by_data_set
from keras_plex.tasks.task import Task
from keras_plex.types import Config
from keras_plex.types import Data

FOLDER = "evidence"
SCHEMA = "keras_plex.evidence/1"

# Entry of a file's description -> what it means that it differs.
DIFFERENCES = {
    "schema": "of another version of keras_plex",
    "model": "of another model, or of other weights",
    "data": "of other data",
    "training": "of scores fitted to other training data",
    "scores": "with other scores",
    "task": "of another task",
    "settings": "with other settings",
}


def collect_or_restore(
    model: keras.Model,
    tasks: Sequence[Task],
    directory: str | os.PathLike,
    *,
    batch_size: int = 32,
    max_examples: int | None = None,
    on_progress: OnProgress | None = None,
) -> list[Evidence]:
    """`collect_evidence`, of which each finished data set is kept in a file.

    What `directory/evidence` holds is not computed again. A file that is
    damaged is.

    Args:
        model: a `PlexModel` or another ensemble, or any Keras classifier.
        tasks: what is to be measured.
        directory: of this model alone.
        batch_size: for arrays. Defaults to `32`.
        max_examples: of each set, the first ones. Defaults to all.
        on_progress: called after each batch.

    Raises:
        ValueError: before the first pass, for a directory that holds evidence
            of another model, of other data or with other settings.
    """
    check_tasks(model, tasks, batch_size)
    files = EvidenceFiles(directory, model, batch_size, max_examples)
    uses = uses_by_data_set(tasks)
    known = {
        use.place: restored
        for group in uses.values()
        for use in group
        if (restored := files.restore(use)) is not None
    }
    scores = ReadyScores(model, batch_size, max_examples)
    for group in uses.values():
        missing = [use for use in group if use.place not in known]
        if not missing:
            continue
        found = collect_evidence(
            model,
            [Part(*use, scores.of(use.task)) for use in missing],
            batch_size=batch_size,
            max_examples=max_examples,
            on_progress=on_progress,
        )
        for use, evidence in zip(missing, found, strict=True):
            known[use.place] = Columns(
                evidence[use.set_name].columns,
                evidence.num_classes,
                evidence.seconds,
            )
            files.save(use, known[use.place])
    return [join_parts(task, known) for task in tasks]


class EvidenceFiles:
    """The columns of each data set of each task, a file for each.

    Args:
        directory: whose folder `evidence` holds the files.
        model: that is measured.
        batch_size: for arrays.
        max_examples: of each set, the first ones.
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
        self.model = model
        self.batch_size = batch_size
        self.common = {
            "schema": SCHEMA,
            "model": fingerprint_model(model),
            "settings": {
                "batch_size": batch_size,
                "max_examples": max_examples,
                "backend": keras.config.backend(),
            },
        }
        self.fingerprints: dict[Hashable, str] = {}

    def restore(self, use: Use) -> Columns | None:
        """What was kept; `None` if it is not there, or damaged."""
        path = self._path(use)
        read = read_columns(path)
        if read is None:
            return None
        description, columns = read
        for name, expected in self._describe(use).items():
            if description.get(name) != expected:
                raise ValueError(
                    f"{str(path)!r} holds evidence {DIFFERENCES[name]}. Pass "
                    "another directory, or the same model, data and settings "
                    f"as before; or remove {str(self.folder)!r} to measure "
                    f"anew. There: {name}={description.get(name)!r}. "
                    f"Received: {name}={expected!r}"
                )
        return Columns(
            columns, description["num_classes"], description["seconds"]
        )

    def save(self, use: Use, found: Columns) -> None:
        """Keeps it; whoever is killed meanwhile leaves no half file."""
        self.folder.mkdir(parents=True, exist_ok=True)
        description = {
            **self._describe(use),
            "num_classes": found.num_classes,
            "seconds": found.seconds,
        }
        write_columns(self._path(use), description, found.columns)

    def _path(self, use: Use) -> pathlib.Path:
        """A name that can be read, and that no two uses share."""
        readable = re.sub(r"[^\w-]+", "_", "-".join(use.place))[:80]
        exact = hashlib.blake2b(repr(use.place).encode(), digest_size=4)
        return self.folder / f"{readable}-{exact.hexdigest()}.npz"

    def _describe(self, use: Use) -> Config:
        """What must be equal for a file to be of use."""
        task, _, data_set = use
        training = task.training_data()
        corruption = data_set.corruption
        return {
            **self.common,
            "task": [
                task.kind,
                None if corruption is None else repr(corruption),
                data_set.needs_labels,
            ],
            "data": self._fingerprint(data_set.data)
            + self._fingerprint(data_set.groups),
            "training": self._fingerprint(training),
            "scores": [describe_score(one) for one in task.scores(self.model)],
        }

    def _fingerprint(self, data: Data | None) -> str:
        if data is None:
            return ""
        if id(data) not in self.fingerprints:
            found = fingerprint_data(data, self.batch_size)
            self.fingerprints[id(data)] = found
        return self.fingerprints[id(data)]
