"""From all shards of an evaluation to the report of the whole."""

from collections.abc import Sequence

import numpy as np

from keras_plex.tasks.arguments import check_bootstrap
from keras_plex.tasks.checked_tasks import checked_tasks
from keras_plex.tasks.environment import describe_environment
from keras_plex.tasks.measure_task import measure_task
from keras_plex.tasks.parts import Columns
from keras_plex.tasks.parts import join_parts
from keras_plex.tasks.reports.report import Report
from keras_plex.tasks.scale.shards import INDEX
from keras_plex.tasks.scale.shards import Shard
from keras_plex.tasks.task import Task


def measure_shards(
    tasks: Sequence[Task],
    shards: Sequence[Shard],
    *,
    resamples: int = 200,
    seed: int = 0,
) -> Report:
    """The report that `evaluate` gives, from what `evaluate_shard` gave.

    Args:
        tasks: those of the shards; their data are not read.
        shards: all of them, in any order.
        resamples: of the bootstrap that gives the 95 % intervals; 0 for none.
            Defaults to `200`.
        seed: int, of the bootstrap. Defaults to `0`.

    Raises:
        ValueError: for a shard that is missing, there twice, or of another
            model or evaluation.
    """
    tasks = checked_tasks(tasks)
    check_bootstrap(resamples, seed)
    merged = merge_shards(shards)
    places = {(task.name, name) for task in tasks for name in task.data_sets()}
    if not places <= set(merged):
        raise ValueError(
            "The shards must be those of all `tasks`. Missing: "
            f"{sorted(places - set(merged))}"
        )
    results = tuple(
        measure_task(task, join_parts(task, merged), resamples, seed)
        for task in tasks
    )
    first = shards[0]
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
        ValueError: for a shard that is missing, there twice, or of another
            model or evaluation.
    """
    shards = sorted(shards, key=lambda shard: shard.number)
    _check_shards(shards)
    places = dict.fromkeys(place for shard in shards for place in shard.columns)
    seconds = sum(shard.seconds for shard in shards) / max(len(places), 1)
    num_classes = max(shard.num_classes for shard in shards)
    max_examples = shards[0].settings["max_examples"]
    return {
        place: Columns(
            _joined(
                [s.columns[place] for s in shards if place in s.columns],
                max_examples,
            ),
            num_classes,
            seconds,
        )
        for place in places
    }


def _check_shards(shards: Sequence[Shard]) -> None:
    if not shards:
        raise ValueError("`shards` must hold a shard. Received: []")
    first = shards[0]
    for shard in shards:
        for what in ("num_shards", "model", "settings"):
            expected, found = getattr(first, what), getattr(shard, what)
            if found != expected:
                raise ValueError(
                    "All shards must be of one evaluation of one model. "
                    f"Received: {what}={expected!r} in shard {first.number}, "
                    f"{what}={found!r} in shard {shard.number}"
                )
    numbers = [shard.number for shard in shards]
    if numbers != list(range(first.num_shards)):
        raise ValueError(
            f"Each of {first.num_shards} shards must be there once. "
            f"Received: shards {numbers}"
        )


def _joined(
    parts: Sequence[dict[str, np.ndarray]], max_examples: int | None
) -> dict[str, np.ndarray]:
    """Columns in the order of the whole data set."""
    columns = {
        name: np.concatenate([part[name] for part in parts])
        for name in parts[0]
    }
    order = np.argsort(columns.pop(INDEX), kind="stable")
    return {
        name: column[order][:max_examples] for name, column in columns.items()
    }
