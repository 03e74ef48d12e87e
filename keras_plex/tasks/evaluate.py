"""`keras_plex.evaluate`: all tasks on one model, as a report."""

import contextlib
import datetime
import importlib.metadata
import os
import platform
import time
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Any

import keras
from rich.console import Console
from rich.progress import BarColumn
from rich.progress import MofNCompleteColumn
from rich.progress import Progress
from rich.progress import TextColumn
from rich.progress import TimeElapsedColumn

from keras_plex.checks import check_seed
from keras_plex.checks import is_integer
from keras_plex.tables import lookup
from keras_plex.tasks.arguments import check_positive
from keras_plex.tasks.bootstrap import bootstrap_intervals
from keras_plex.tasks.collect import collect_evidence
from keras_plex.tasks.examples import Evidence
from keras_plex.tasks.few_shot_features import shared_features
from keras_plex.tasks.measures import find_measure
from keras_plex.tasks.parts import shares_passes
from keras_plex.tasks.report import Report
from keras_plex.tasks.result import TaskResult
from keras_plex.tasks.result import Value
from keras_plex.tasks.resume import collect_or_restore
from keras_plex.tasks.table import TASKS
from keras_plex.tasks.task import Task


def evaluate(
    model: keras.Model,
    tasks: Sequence[Task],
    *,
    batch_size: int = 32,
    max_examples: int | None = None,
    resamples: int = 200,
    seed: int = 0,
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
        verbose: 0 or 1; 1 shows progress bars. Defaults to `1`.
        directory: where what the model said about each data set is kept as
            soon as it is there: after a crash the same call measures only
            what is missing. Defaults to none.

    Returns:
        A `Report`: `results`, `reliability_score`, `to_markdown()`,
        `to_json()`, `save(directory)`.

    Raises:
        ValueError: before the first pass, for data that lack labels or groups
            or do not fit the model, as far as a first batch shows it, and for
            a directory that holds what was measured on others.

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
        seconds=time.perf_counter() - start,
    )


def checked_tasks(tasks: Sequence[Task]) -> list[Task]:
    """The tasks as a list; raises for what is none, and for a name twice."""
    if isinstance(tasks, (Task, str)):
        tasks = [tasks]  # type: ignore
    for task in tasks:
        if isinstance(task, Task):
            continue
        kinds = list(TASKS.values())
        if task not in kinds:
            task = lookup(TASKS, task, "task")  # type: ignore
        raise ValueError(
            f"A task needs data: make one, as in `{task.__name__}((x, y))` "
            "from `keras_plex.tasks`. Available: "
            f"{', '.join(kind.__name__ for kind in kinds)}. "
            f"Received: {task.kind!r}"
        )
    if not tasks:
        raise ValueError("`tasks` must hold a task. Received: []")
    names = [task.name for task in tasks]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(
            "Each task needs a name of its own: pass `name=` to the second. "
            f"Received: {twice} twice"
        )
    return list(tasks)


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


def check_bootstrap(resamples: int, seed: int) -> None:
    """Raises unless both are what a bootstrap takes."""
    if seed is None:
        raise ValueError(
            "`seed` must be a non-negative integer: two models are compared "
            "on the same resamples. Received: seed=None"
        )
    check_seed(seed)
    if not is_integer(resamples) or resamples < 0:
        raise ValueError(
            "`resamples` must be an integer of at least 0. "
            f"Received: resamples={resamples!r}"
        )


def measure_task(
    task: Task, evidence: Evidence, resamples: int, seed: int
) -> TaskResult:
    """What the evidence says, with its intervals."""
    start = time.perf_counter()
    measured = task.measure(evidence)
    intervals = bootstrap_intervals(
        task.measure, evidence, resamples=resamples, seed=seed
    )
    values = {
        name: Value(
            float(value),
            *intervals[name],
            find_measure(name).higher_is_better,
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
        seconds=evidence.seconds + time.perf_counter() - start,
    )


@contextlib.contextmanager
def show_progress(
    verbose: int,
) -> Iterator[Callable[[str, int, int | None], None]]:
    """Gives a function that moves the bar of that name."""
    if not verbose:
        yield lambda name, count, total: None
        return
    progress = Progress(
        TextColumn("{task.description:<36}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        # Output can be piped.
        console=Console(stderr=True),
    )
    bars = {}

    def move(name: str, count: int, total: int | None) -> None:
        if name not in bars:
            bars[name] = progress.add_task(name, total=total)
        done = count if total is None else min(count, total)
        progress.update(bars[name], completed=done)

    with progress:
        yield move


def describe_environment() -> dict[str, str]:
    """Versions, backend, platform and date."""
    backend = keras.config.backend()
    packages = ("keras_plex", "keras", backend, "numpy")
    return {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "backend": backend,
        **{name: _version(name) for name in packages},
    }


def _version(package: str) -> str:
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        return importlib.metadata.version(package)
    return "unknown"
