"""Named benchmarks, for the command line."""

from collections.abc import Sequence
from typing import Any

import keras

from keras_plex.tasks.benchmarks import benchmarks
from keras_plex.tasks.benchmarks import load_tasks
from keras_plex.tasks.task import Task


def load_named_tasks(
    names: Sequence[str], model: keras.Model, **options: Any
) -> list[Task]:
    """The tasks of these benchmarks; see `keras_plex.tasks.load_tasks`."""
    return load_tasks(list(names), model, **options)


def describe_benchmarks() -> list[dict[str, Any]]:
    """What `keras-plex tasks` tells of each: plain data."""
    return [
        {
            "name": name,
            "kind": one.kind,
            "modality": one.modality,
            "data_sets": _describe_data_sets(one),
        }
        for name, one in benchmarks().items()
    ]


def _describe_data_sets(benchmark: Any) -> list[dict[str, Any]]:
    rows = {part.row.name: part.row for part, _ in benchmark.parts()}
    return [
        {
            "name": name,
            "download_bytes": row.download_bytes,
            "manual": list(row.manual),
            "licence": row.licence,
            "homepage": row.homepage,
        }
        for name, row in rows.items()
    ]
