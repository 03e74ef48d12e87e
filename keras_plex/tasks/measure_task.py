"""From evidence to the result of a task."""

import time

import numpy as np

from keras_plex.tasks.bootstrap import bootstrap_interval
from keras_plex.tasks.bootstrap import draw_measures
from keras_plex.tasks.examples import Evidence
from keras_plex.tasks.fingerprints import fingerprint_arrays
from keras_plex.tasks.measures import find_measure
from keras_plex.tasks.reports.result import TaskResult
from keras_plex.tasks.reports.result import Value
from keras_plex.tasks.settings import describe_settings
from keras_plex.tasks.task import Task


def measure_task(
    task: Task,
    evidence: Evidence,
    resamples: int,
    seed: int,
    *,
    fingerprints: dict[str, str] | None = None,
) -> TaskResult:
    """What the evidence says, with its intervals.

    Args:
        task: that the evidence is of.
        evidence: of all its data sets.
        resamples: of the bootstrap.
        seed: int, of the bootstrap.
        fingerprints: of its data sets. Defaults to those of the data of the
            task, which are read.
    """
    if fingerprints is None:
        fingerprints = fingerprint_arrays(task.data_sets())
    start = time.perf_counter()
    measured = task.measure(evidence)
    drawn = draw_measures(
        task.measure, evidence, resamples=resamples, seed=seed
    )
    nothing = np.full(resamples, np.nan, "float32")
    values = {
        name: Value(
            float(value),
            *bootstrap_interval(name, value, drawn.get(name, nothing)),
            find_measure(name).higher_is_better,
            drawn.get(name, nothing),
        )
        for name, value in measured.items()
    }
    return TaskResult(
        name=task.name,
        kind=task.kind,
        category=task.category,
        headline=task.headline,
        scored=task.scored,
        measures=values,
        # Those of one origin are the same examples, however looked at.
        num_examples={
            one.drawn_with or name: len(one)
            for name, one in evidence.sets.items()
        },
        num_classes=evidence.num_classes,
        curves=task.curves(evidence),
        fingerprints=fingerprints,
        settings=describe_settings(task),
        seconds=evidence.seconds + time.perf_counter() - start,
    )
