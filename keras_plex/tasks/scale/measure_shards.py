"""From all shards of an evaluation to the report of the whole."""

from collections.abc import Callable
from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_plex.tasks.arguments import check_bootstrap
from keras_plex.tasks.checked_tasks import checked_tasks
from keras_plex.tasks.environment import describe_environment
from keras_plex.tasks.measure_task import measure_task
from keras_plex.tasks.parts import Columns
from keras_plex.tasks.parts import join_parts
from keras_plex.tasks.reports.report import Report
from keras_plex.tasks.scale.shards import INDEX
from keras_plex.tasks.scale.shards import Place
from keras_plex.tasks.scale.shards import Shard
from keras_plex.tasks.settings import describe_settings
from keras_plex.tasks.task import Task
from keras_plex.types import Config


def measure_shards(
    tasks: Sequence[Task],
    shards: Sequence[Shard],
    *,
    resamples: int = 200,
    seed: int = 0,
) -> Report:
    """The report that `evaluate` gives, from what `evaluate_shard` gave.

    Args:
        tasks: those of the shards. Their data are not read: arrays without
            examples will do.
        shards: all of them, in any order.
        resamples: of the bootstrap that gives the 95 % intervals; 0 for none.
            Defaults to `200`.
        seed: int, of the bootstrap. Defaults to `0`.

    Raises:
        ValueError: for a shard that is missing, there twice, or of another
            model, other tasks or other data, as far as their marks show it.
    """
    tasks, shards = checked_tasks(tasks), list(shards)
    check_bootstrap(resamples, seed)
    merged = merge_shards(shards)
    places = {(task.name, name) for task in tasks for name in task.data_sets()}
    if not places <= set(merged):
        raise ValueError(
            "The shards must be those of all `tasks`. Missing: "
            f"{sorted(places - set(merged))}"
        )
    first = min(shards, key=lambda shard: shard.number)
    _check_tasks(tasks, first)
    results = tuple(
        measure_task(
            task,
            join_parts(task, merged),
            resamples,
            seed,
            fingerprints=first.tasks[task.name]["fingerprints"],
        )
        for task in tasks
    )
    return Report(
        model=first.model["name"],
        parameters=first.model["parameters"],
        ensemble_size=first.model["ensemble_size"],
        results=results,
        settings={"seed": seed, "resamples": resamples, **first.settings},
        environment=describe_environment(),
        seconds=sum(shard.seconds for shard in shards),
    )


def merge_shards(shards: Sequence[Shard]) -> dict[tuple[str, str], Columns]:
    """The columns of all examples, in their order, from all shards.

    Args:
        shards: all of one evaluation, in any order.

    Raises:
        ValueError: as `measure_shards`.
    """
    shards = sorted(shards, key=lambda shard: shard.number)
    _check_shards(shards)
    places = dict.fromkeys(place for shard in shards for place in shard.columns)
    seconds = sum(shard.seconds for shard in shards) / max(len(places), 1)
    num_classes = max(shard.num_classes for shard in shards)
    return {
        place: Columns(_joined(shards, place), num_classes, seconds)
        for place in places
    }


def _check_shards(shards: Sequence[Shard]) -> None:
    if not shards:
        raise ValueError("`shards` must hold a shard. Received: []")
    first = shards[0]
    for shard in shards:
        for what, describe in ASPECTS.items():
            expected, found = describe(first), describe(shard)
            if found != expected:
                raise ValueError(
                    "All shards must be of one evaluation of one model. "
                    f"Received: {what}={expected!r} in shard {first.number}, "
                    f"{what}={found!r} in shard {shard.number}"
                )
        _check_data(first, shard)
    numbers = [shard.number for shard in shards]
    if numbers != list(range(first.num_shards)):
        raise ValueError(
            f"Each of {first.num_shards} shards must be there once. "
            f"Received: shards {numbers}"
        )


# What all shards share -> it.
ASPECTS: dict[str, Callable[[Shard], Any]] = {
    "num_shards": lambda shard: shard.num_shards,
    "model": lambda shard: shard.model,
    "settings": lambda shard: shard.settings,
    "tasks": lambda shard: {
        name: _task_of(task) for name, task in shard.tasks.items()
    },
    "sets": lambda shard: sorted(shard.sets),
}


def _task_of(described: Config) -> Config:
    """Without fingerprints, which one shard has for all."""
    return {"kind": described["kind"], "settings": described["settings"]}


def _check_tasks(tasks: Sequence[Task], shard: Shard) -> None:
    for task in tasks:
        expected = _task_of(shard.tasks[task.name])
        found = {"kind": task.kind, "settings": describe_settings(task)}
        if found != expected:
            raise ValueError(
                f"The task {task.name!r} must be that of the shards, with the "
                f"same options: {expected}. Received: {found}"
            )


def _check_data(first: Shard, shard: Shard) -> None:
    for place, expected in first.sets.items():
        found = shard.sets[place]
        if found != expected:
            raise ValueError(
                "All shards must be of the same data, in one order, with the "
                "same scores: do not shuffle, and evaluate again what differs. "
                f"Received: {'/'.join(place)} is {expected} in shard "
                f"{first.number}, {found} in shard {shard.number}"
            )


def _joined(shards: Sequence[Shard], place: Place) -> dict[str, np.ndarray]:
    """Columns in the order of the whole data set."""
    parts = [one.columns[place] for one in shards if place in one.columns]
    columns = {
        name: np.concatenate([part[name] for part in parts])
        for name in parts[0]
    }
    index = columns.pop(INDEX)
    # The last batch may have more examples than were asked for.
    max_examples = shards[0].settings["max_examples"]
    order = np.argsort(index, kind="stable")[:max_examples]
    num_examples = shards[0].sets[place]["examples"]
    expected = np.arange(num_examples)[:max_examples]
    if not np.array_equal(index[order], expected):
        raise ValueError(
            "The shards must hold each example once: evaluate them again. "
            f"Received: {len(order)} rows, {len(np.unique(index[order]))} of "
            f"them different, for {len(expected)} examples of "
            f"{'/'.join(place)}"
        )
    return {name: column[order] for name, column in columns.items()}
