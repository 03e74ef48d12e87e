"""Named benchmarks, for the command line."""

import difflib
from collections.abc import Sequence
from typing import Any

import keras

from keras_plex.cli.task_needs import NEEDS
from keras_plex.data.named.benchmark import Benchmark
from keras_plex.tables import lookup
from keras_plex.tasks.benchmarks import benchmarks
from keras_plex.tasks.benchmarks import load_tasks
from keras_plex.tasks.task import Task

# What an error of a benchmark calls an argument -> the option.
OPTIONS = {
    "`value_range=(0, 255)`": "--image-range 0,255",
    "`value_range`": "--image-range",
}


def is_benchmark(kind: str) -> bool:
    """Whether it is the name of a benchmark, and no kind of task."""
    return "/" in kind


def check_kind(kind: str) -> None:
    """Raises unless there is such a task, or such a benchmark."""
    if not is_benchmark(kind):
        lookup(NEEDS, kind, "task")
    elif kind not in benchmarks():
        similar = difflib.get_close_matches(kind, benchmarks(), cutoff=0.5)
        hint = f" Did you mean {', '.join(similar)}?" if similar else ""
        raise ValueError(
            f"Unknown benchmark: {kind!r}.{hint} `keras-plex tasks` lists all."
        )


def load_named_tasks(
    names: Sequence[str], model: keras.Model, **options: Any
) -> dict[str, Task]:
    """Benchmark -> its task; see `keras_plex.tasks.load_tasks`."""
    names = list(dict.fromkeys(names))
    if not names:
        return {}
    try:
        tasks = load_tasks(names, model, **options)
    except ValueError as error:
        message = str(error)
        for words, option in OPTIONS.items():
            message = message.replace(words, option)
        raise ValueError(message) from error
    return dict(zip(names, tasks, strict=True))


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


def _describe_data_sets(benchmark: Benchmark) -> list[dict[str, Any]]:
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
