"""The share of an evaluation that one machine does."""

import time
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from keras_plex.checks import is_integer
from keras_plex.tasks.arguments import check_positive
from keras_plex.tasks.checked_tasks import checked_tasks
from keras_plex.tasks.collect import check_tasks
from keras_plex.tasks.collect import collect_evidence
from keras_plex.tasks.data_set import DataSet
from keras_plex.tasks.fingerprints import fingerprint_arrays
from keras_plex.tasks.fingerprints import fingerprint_model
from keras_plex.tasks.parts import Part
from keras_plex.tasks.parts import ReadyScores
from keras_plex.tasks.parts import Use
from keras_plex.tasks.parts import shares_passes
from keras_plex.tasks.parts import uses_by_data_set
from keras_plex.tasks.progress import show_progress
from keras_plex.tasks.scale.batch_share import BatchShare
from keras_plex.tasks.scale.set_marks import SetMarks
from keras_plex.tasks.scale.shards import INDEX
from keras_plex.tasks.scale.shards import Shard
from keras_plex.tasks.settings import describe_settings
from keras_plex.tasks.task import Task
from keras_plex.types import Config


def evaluate_shard(
    model: keras.Model,
    tasks: Sequence[Task],
    *,
    shard: int,
    num_shards: int,
    batch_size: int = 32,
    max_examples: int | None = None,
    verbose: int = 0,
) -> Shard:
    """The share of an evaluation that one machine does.

    It takes batches `shard`, `shard + num_shards`, ... of each data set.
    `measure_shards` makes of all of them the report that `evaluate` gives, to
    the last bit where all machines compute alike. Scores of features are fitted
    to the whole training data by each; to do so once, pass fitted scores.

    Args:
        model: a `PlexModel` or another ensemble, or any Keras classifier.
        tasks: all of them, with the whole data sets, the same for each shard;
            a shuffled one is refused by `measure_shards`. What belongs to other
            shards does not pass the model. The inputs of arrays are then not
            read either, but by shard 0, for their fingerprints; batches are,
            to count their examples.
        shard: int from 0 to `num_shards - 1`.
        num_shards: positive int.
        batch_size: for arrays. Defaults to `32`.
        max_examples: of each whole set, the first ones. Defaults to all.
        verbose: 0 or 1; 1 shows progress bars. Defaults to `0`.

    Raises:
        ValueError: for what `evaluate` refuses, and for a shard that is none.

    Example:

    >>> from keras_plex.tasks import Calibration
    >>> from keras_plex.tasks.scale.measure_shards import measure_shards
    >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Softmax()])
    >>> tasks = [Calibration((np.eye(3), np.arange(3)))]
    >>> shards = [
    ...     evaluate_shard(
    ...         model, tasks, shard=number, num_shards=2, batch_size=1
    ...     )
    ...     for number in range(2)
    ... ]
    >>> report = measure_shards(tasks, shards, resamples=0)
    >>> report["calibration"].num_examples
    {'test': 3}
    """
    start = time.perf_counter()
    tasks = checked_tasks(tasks)
    _check_arguments(tasks, shard, num_shards)
    check_positive(batch_size=batch_size, max_examples=max_examples)
    check_tasks(model, tasks, batch_size)
    marks = SetMarks(model, batch_size)
    scores = ReadyScores(model, batch_size, max_examples)
    sets, columns, num_classes = {}, {}, 0
    with show_progress(verbose) as on_progress:
        for uses in uses_by_data_set(tasks).values():
            share = BatchShare(
                uses[0].data_set,
                batch_size,
                shard=shard,
                num_shards=num_shards,
                max_examples=max_examples,
            )
            if not share.is_empty():
                parts = [_part_of_share(use, share, scores) for use in uses]
                found = collect_evidence(model, parts, on_progress=on_progress)
                for use, evidence in zip(uses, found, strict=True):
                    kept = evidence[use.set_name].columns
                    columns[use.place] = _with_index(use, kept, share.rows())
                    num_classes = evidence.num_classes
            for use in uses:
                count = share.num_examples
                sets[use.place] = {"examples": count, **marks.of(use)}
    return Shard(
        number=shard,
        num_shards=num_shards,
        model=_describe_model(model),
        settings={"batch_size": batch_size, "max_examples": max_examples},
        tasks={task.name: _describe_task(task, shard) for task in tasks},
        sets=sets,
        columns=columns,
        num_classes=num_classes,
        seconds=time.perf_counter() - start,
    )


def _check_arguments(
    tasks: Sequence[Task], shard: int, num_shards: int
) -> None:
    check_positive(num_shards=num_shards)
    if not is_integer(shard) or not 0 <= shard < num_shards:
        raise ValueError(
            f"`shard` must be an integer from 0 to {num_shards - 1}, one less "
            f"than `num_shards`. Received: shard={shard!r}"
        )
    names = [task.name for task in tasks if not shares_passes(task)]
    if names:
        raise ValueError(
            "A task that does more than look at forecasts has no shards: pass "
            f"it to `evaluate`. Received: {names}"
        )


def _part_of_share(use: Use, share: BatchShare, scores: ReadyScores) -> Part:
    """The share in place of the data set, of which it asks the same."""
    whole = use.data_set
    share_of_set = DataSet(
        share,
        needs_labels=whole.needs_labels,
        needs_soft_labels=whole.needs_soft_labels,
        # Groups that are an array are looked up afterwards.
        needs_groups=whole.needs_groups and whole.groups is None,
    )
    ready = scores.of(use.task)
    return Part(use.task, use.set_name, share_of_set, ready)


def _with_index(
    use: Use, columns: dict[str, np.ndarray], rows: np.ndarray
) -> dict[str, np.ndarray]:
    groups = use.data_set.groups
    group = {} if groups is None else {"group": groups[rows]}
    return {**columns, **group, INDEX: rows}


def _describe_task(task: Task, shard: int) -> Config:
    # Of whole arrays: one shard reads them for all.
    marks = fingerprint_arrays(task.data_sets()) if shard == 0 else {}
    return {
        "kind": task.kind,
        "settings": describe_settings(task),
        "fingerprints": marks,
    }


def _describe_model(model: keras.Model) -> dict[str, Any]:
    return {
        "name": model.name,
        "parameters": model.count_params(),
        "ensemble_size": getattr(model, "ensemble_size", 1),
        "fingerprint": fingerprint_model(model),
    }
