"""Named benchmarks, for the command line."""

import importlib.util
from collections.abc import Sequence
from typing import Any

import keras

from keras_plex.tasks.task import Task

MODULE = "keras_plex.tasks.benchmarks"


def load_named_tasks(
    names: Sequence[str], model: keras.Model, **options: Any
) -> list[Task]:
    """The tasks of these benchmarks; see `keras_plex.tasks.load_tasks`."""
    if not _are_there():
        raise ValueError(
            "There are no named benchmarks in this version: pass a kind of "
            f"task and --data. Received: {list(names)}"
        )
    from keras_plex.tasks.benchmarks import load_tasks

    return load_tasks(list(names), model, **options)


def describe_benchmarks() -> list[dict[str, Any]]:
    """What `keras-plex tasks` tells of each: plain data."""
    if not _are_there():
        return []
    from keras_plex.tasks.benchmarks import benchmarks

    return [
        {
            "name": name,
            "kind": one.kind,
            "modality": one.modality,
            "data_sets": _describe_data_sets(one),
        }
        for name, one in benchmarks().items()
    ]


def _are_there() -> bool:
    return importlib.util.find_spec(MODULE) is not None


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
