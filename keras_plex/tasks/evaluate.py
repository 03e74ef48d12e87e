"""`keras_plex.evaluate`: all tasks on one model, as a report."""

import os
import time
from collections.abc import Sequence
from typing import Any

import keras

from keras_plex.batches import iterate_batches
from keras_plex.tasks.arguments import check_bootstrap
from keras_plex.tasks.arguments import check_positive
from keras_plex.tasks.checked_tasks import check_loaded_for
from keras_plex.tasks.checked_tasks import checked_tasks
from keras_plex.tasks.collect import collect_evidence
from keras_plex.tasks.cost import Cost
from keras_plex.tasks.cost import measure_cost as measure_cost_of
from keras_plex.tasks.environment import describe_environment
from keras_plex.tasks.examples import Evidence
from keras_plex.tasks.few_shot.features import shared_features
from keras_plex.tasks.measure_task import measure_task
from keras_plex.tasks.parts import shares_passes
from keras_plex.tasks.progress import show_progress
from keras_plex.tasks.reports.report import Report
from keras_plex.tasks.resume.collect_or_restore import collect_or_restore
from keras_plex.tasks.task import Task


def evaluate(
    model: keras.Model,
    tasks: Sequence[Task],
    *,
    batch_size: int = 32,
    max_examples: int | None = None,
    resamples: int = 200,
    seed: int = 0,
    measure_cost: bool = False,
    verbose: int = 1,
    directory: str | os.PathLike | None = None,
) -> Report:
    """Measures how reliable a classifier is, on data of yours.

    Each data set passes through the model once, however many tasks hold it;
    only a few numbers per example are kept, so that a set may be larger than
    memory. The model is left as it is. Tasks that adapt it keep the features of
    their data until the end, fit small heads to these, and train copies only
    where you say how: see `FewShotLearning`, `ActiveLearning`.

    Args:
        model: a `PlexModel` or another ensemble, or any Keras classifier.
        tasks: such as `[Calibration(test), SubpopulationShift(grouped)]`; see
            `keras_plex.tasks`.
        batch_size: for arrays. Defaults to `32`.
        max_examples: of each set, the first ones. Defaults to all.
        resamples: of the bootstrap that gives the 95 % intervals; 0 for none.
            They take that many times the time of measuring: about a second
            a task for 10,000 examples, more for many scores or shifts.
            Defaults to `200`.
        seed: int, of the bootstrap. Defaults to `0`.
        measure_cost: whether to measure, on the first batch, what a forecast
            costs; see `keras_plex.tasks.Cost`. It takes a few seconds, more
            for a large model. Defaults to `False`.
        verbose: 0 or 1; 1 shows progress bars. Defaults to `1`.
        directory: where what the model said about each data set is kept as
            soon as it is there: after a crash the same call measures only
            what is missing. Defaults to none.

    Returns:
        A `Report`: `results`, `reliability_score`, `to_markdown()`,
        `to_html()`, `to_json()`, `save(directory)`.

    Raises:
        ValueError: before the first pass, for data that lack labels or groups
            or do not fit the model, as far as a first batch shows it, for
            tasks that `load_tasks` made for a model with other inputs, and
            for a directory that holds what was measured on others.

    Example:

    >>> from keras_plex.tasks import Calibration, InDistribution
    >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Softmax()])
    >>> test = 4 * np.eye(3)[[0, 1, 2, 0]], np.array([0, 1, 2, 1])
    >>> tasks = [Calibration(test), InDistribution(test)]
    >>> report = evaluate(model, tasks, verbose=0)
    >>> report["in_distribution"]["accuracy"].value
    0.75

    Reference:
        Tran et al., 2022, "Plex: towards reliability using pretrained large
        model extensions".
    """
    start = time.perf_counter()
    tasks = checked_tasks(tasks)
    check_positive(batch_size=batch_size, max_examples=max_examples)
    check_bootstrap(resamples, seed)
    check_loaded_for(tasks, [model])
    with show_progress(verbose) as on_progress:
        found = _collect(
            directory,
            model,
            tasks,
            batch_size=batch_size,
            max_examples=max_examples,
            on_progress=on_progress,
        )
        results = []
        for task, evidence in zip(tasks, found, strict=True):
            results.append(measure_task(task, evidence, resamples, seed))
            on_progress("bootstrap", len(results), len(tasks))
    return Report(
        model=model.name,
        parameters=model.count_params(),
        ensemble_size=getattr(model, "ensemble_size", 1),
        results=tuple(results),
        settings={
            "seed": seed,
            "resamples": resamples,
            "batch_size": batch_size,
            "max_examples": max_examples,
        },
        environment=describe_environment(),
        cost=_cost(model, tasks, batch_size) if measure_cost else None,
        seconds=time.perf_counter() - start,
    )


def _cost(model: keras.Model, tasks: Sequence[Task], batch_size: int) -> Cost:
    data_sets = [one for task in tasks for one in task.data_sets().values()]
    x, _, _ = next(iterate_batches(data_sets[0].data, batch_size))
    return measure_cost_of(model, x, batch_size=batch_size)


def _collect(
    directory: str | os.PathLike | None,
    model: keras.Model,
    tasks: Sequence[Task],
    **options: Any,
) -> list[Evidence]:
    """The evidence of each task, in their order."""
    with shared_features():
        if directory is not None:
            return collect_or_restore(model, tasks, directory, **options)
        sharing = [task for task in tasks if shares_passes(task)]
        together = collect_evidence(model, sharing, **options)
        found = dict(zip(map(id, sharing), together, strict=True))
        for task in tasks:
            if id(task) not in found:
                found[id(task)] = task.predict(model, **options)
    return [found[id(task)] for task in tasks]
