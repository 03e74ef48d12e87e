"""Named benchmarks, for the command line."""

import dataclasses
import difflib
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import keras

from keras_plex.cli.task_needs import NEEDS
from keras_plex.data.named.benchmark import Benchmark
from keras_plex.data.named.model_inputs import ModelInputs
from keras_plex.data.named.model_inputs import model_inputs
from keras_plex.tables import lookup
from keras_plex.tasks.benchmarks import benchmarks
from keras_plex.tasks.benchmarks import load_tasks
from keras_plex.tasks.task import Task

# What an error of a benchmark calls an argument -> the option.
OPTIONS = {
    "`value_range=(0, 1)`": "--image-range 0,1",
    "`value_range=(0, 255)`": "--image-range 0,255",
    "`value_range`": "--image-range",
}

APART = (
    "All get the same: where that does not fit, `keras-plex evaluate` each "
    "with --output, and compare the reports."
)


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
    names: Sequence[str],
    models: Mapping[str, keras.Model],
    *,
    value_range: tuple[float, float] | None = None,
    **options: Any,
) -> dict[str, Task]:
    """Benchmark -> its task, for all models.

    Args:
        names: of benchmarks.
        models: by name; all must take the same inputs.
        value_range: black and white of their images.
        **options: of `keras_plex.tasks.load_tasks`.
    """
    names = list(dict.fromkeys(names))
    if not names:
        return {}
    first = next(iter(models.values()))
    try:
        if len(models) > 1:
            _check_same_inputs(names, models, value_range)
        tasks = load_tasks(names, first, value_range=value_range, **options)
    except ValueError as error:
        message = str(error)
        for words, option in OPTIONS.items():
            message = message.replace(words, option)
        raise ValueError(message) from error
    return dict(zip(names, tasks, strict=True))


def _check_same_inputs(
    names: Sequence[str],
    models: Mapping[str, keras.Model],
    value_range: tuple[float, float] | None,
) -> None:
    """Raises where one model would be fed what another takes."""
    modalities = [benchmarks()[name].modality for name in names]
    for modality in dict.fromkeys(modalities):
        found = {}
        for name, model in models.items():
            try:
                found[name] = model_inputs(model, modality, value_range)
            except ValueError as error:
                raise ValueError(
                    f"The model {name!r}: {error} {APART}"
                ) from error
        _check_equal(found)


def _check_equal(inputs: Mapping[str, ModelInputs]) -> None:
    """Raises unless the inputs of all models, by their names, are the same."""
    found = {name: dataclasses.asdict(one) for name, one in inputs.items()}
    first = next(iter(found.values()))
    differing = [
        field
        for field, value in first.items()
        if any(one[field] != value for one in found.values())
    ]
    if differing:
        said = [
            f"{name!r} takes "
            + ", ".join(f"{field}={one[field]}" for field in differing)
            for name, one in found.items()
        ]
        raise ValueError(
            "Models that are compared on a benchmark must take the same "
            f"inputs. {APART} Received: {'; '.join(said)}"
        )


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
