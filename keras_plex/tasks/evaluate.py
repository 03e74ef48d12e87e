"""`keras_plex.evaluate`: all tasks on one model, as a report."""

import contextlib
import datetime
import importlib.metadata
import platform
import time
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence

import keras
import numpy as np
from rich.console import Console
from rich.progress import BarColumn
from rich.progress import MofNCompleteColumn
from rich.progress import Progress
from rich.progress import TextColumn
from rich.progress import TimeElapsedColumn

from keras_plex.batches import iterate_batches
from keras_plex.checks import check_seed
from keras_plex.checks import is_integer
from keras_plex.tables import lookup
from keras_plex.tasks.arguments import check_positive
from keras_plex.tasks.bootstrap import bootstrap_interval
from keras_plex.tasks.bootstrap import draw_measures
from keras_plex.tasks.collect import collect_evidence
from keras_plex.tasks.cost import Cost
from keras_plex.tasks.cost import measure_cost as measure_cost_of
from keras_plex.tasks.examples import Evidence
from keras_plex.tasks.measures import find_measure
from keras_plex.tasks.report import Report
from keras_plex.tasks.reports.fingerprint import fingerprints
from keras_plex.tasks.result import TaskResult
from keras_plex.tasks.result import Value
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
    measure_cost: bool = False,
    verbose: int = 1,
) -> Report:
    """Measures how reliable a classifier is, on data of yours.

    Each data set passes through the model once, however many tasks hold it;
    only a few numbers per example are kept, so that a set may be larger than
    memory. Nothing is trained.

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

    Returns:
        A `Report`: `results`, `reliability_score`, `to_markdown()`,
        `to_html()`, `to_json()`, `save(directory)`.

    Raises:
        ValueError: before the first pass, for data that lack labels or groups
            or do not fit the model, as far as a first batch shows it.

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
    tasks = _checked_tasks(tasks)
    check_positive(batch_size=batch_size, max_examples=max_examples)
    if seed is None:
        raise ValueError(
            "`seed` must be a non-negative integer: two models are compared "
            "on the same resamples. Received: seed=None"
        )
    check_seed(seed)
    _check_resamples(resamples)
    with _progress(verbose) as on_progress:
        found = collect_evidence(
            model,
            tasks,
            batch_size=batch_size,
            max_examples=max_examples,
            on_progress=on_progress,
        )
        results = []
        for task, evidence in zip(tasks, found, strict=True):
            results.append(_result(task, evidence, resamples, seed))
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
        environment=_environment(),
        cost=_cost(model, tasks, batch_size) if measure_cost else None,
        seconds=time.perf_counter() - start,
    )


def _check_resamples(resamples: int) -> None:
    if not is_integer(resamples) or resamples < 0:
        raise ValueError(
            "`resamples` must be an integer of at least 0. "
            f"Received: resamples={resamples!r}"
        )


def _cost(model: keras.Model, tasks: Sequence[Task], batch_size: int) -> Cost:
    data_sets = [one for task in tasks for one in task.data_sets().values()]
    x, _, _ = next(iterate_batches(data_sets[0].data, batch_size))
    return measure_cost_of(model, x, batch_size=batch_size)


def _checked_tasks(tasks: Sequence[Task]) -> list[Task]:
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


def _result(
    task: Task, evidence: Evidence, resamples: int, seed: int
) -> TaskResult:
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
        num_examples={name: len(one) for name, one in evidence.sets.items()},
        num_classes=evidence.num_classes,
        curves=task.curves(evidence),
        fingerprints=fingerprints(task.data_sets()),
        seconds=evidence.seconds + time.perf_counter() - start,
    )


@contextlib.contextmanager
def _progress(verbose: int) -> Iterator[Callable[[str, int, int | None], None]]:
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


def _environment() -> dict[str, str]:
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
