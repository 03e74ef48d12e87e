"""What a model said about one shard of the data, to be kept and merged."""

import dataclasses
import os
import pathlib
from typing import Any

import numpy as np

from keras_plex.tasks.resume.files import read_columns
from keras_plex.tasks.resume.files import write_columns
from keras_plex.types import Config

# The names of a task and of its set.
Place = tuple[str, str]

SCHEMA = "keras_plex.shard/3"
# The column of where the examples are in the whole data set.
INDEX = "index"


@dataclasses.dataclass(frozen=True)
class Shard:
    """What a model said about every so many-th batch of each data set.

    Args:
        number: from 0.
        num_shards: how many there are.
        model: `name`, `parameters`, `ensemble_size` and `fingerprint`.
        settings: `batch_size` and `max_examples`.
        tasks: name of a task -> `kind`, `settings` and `fingerprints`, as
            those of a `TaskResult`; of other shards than the first, there are
            no fingerprints.
        sets: name of a task, name of a set -> `examples`, how many the whole
            set holds, and what tells its data from others; of all sets that
            were asked for.
        columns: likewise -> column -> `(examples,)`, with `index`, where each
            example is in the whole. A set that has fewer batches than shards
            may be missing.
        num_classes: of the model.
        seconds: that it took.
    """

    number: int
    num_shards: int
    model: dict[str, Any]
    settings: dict[str, Any]
    tasks: dict[str, Config]
    sets: dict[Place, Config]
    columns: dict[Place, dict[str, np.ndarray]]
    num_classes: int
    seconds: float

    def save(self, path: str | os.PathLike) -> None:
        """Writes a file (npz), which is never seen half written."""
        description = {
            "schema": SCHEMA,
            **{
                field.name: getattr(self, field.name)
                for field in dataclasses.fields(self)
                if field.name not in ("sets", "columns")
            },
            "sets": list(self.sets.items()),
            "places": list(self.columns),
        }
        columns = {
            f"{place}/{name}": column
            for place, found in enumerate(self.columns.values())
            for name, column in found.items()
        }
        write_columns(pathlib.Path(path), description, columns)

    @classmethod
    def load(cls, path: str | os.PathLike) -> "Shard":
        """What `save` wrote."""
        read = read_columns(pathlib.Path(path))
        schema = None if read is None else read[0].pop("schema", None)
        if read is None or schema != SCHEMA:
            raise ValueError(
                "`path` must be a whole file that `Shard.save` wrote, of "
                f"schema {SCHEMA!r}: evaluate an older shard again. "
                f"Received: path={os.fspath(path)!r}, schema={schema!r}"
            )
        description, entries = read
        sets = {tuple(place): mark for place, mark in description.pop("sets")}
        places = [tuple(place) for place in description.pop("places")]
        columns: dict[Any, dict] = {place: {} for place in places}
        for entry, column in entries.items():
            place, _, name = entry.partition("/")
            columns[places[int(place)]][name] = column
        return cls(**description, sets=sets, columns=columns)
