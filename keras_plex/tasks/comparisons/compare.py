"""`keras_plex.compare`: several models on the same tasks and examples."""

import hashlib
import os
import pathlib
import re
import sys
from collections.abc import Mapping
from collections.abc import Sequence

import keras

from keras_plex.tasks.checked_tasks import check_loaded_for
from keras_plex.tasks.checked_tasks import checked_tasks
from keras_plex.tasks.checks import classifier_kind
from keras_plex.tasks.checks import num_classes_of
from keras_plex.tasks.comparisons.checks import check_names
from keras_plex.tasks.comparisons.checks import checked_baseline
from keras_plex.tasks.comparisons.comparison import Comparison
from keras_plex.tasks.evaluate import evaluate
from keras_plex.tasks.resume.folder import FOLDER
from keras_plex.tasks.task import Task


def compare(
    models: Mapping[str, keras.Model],
    tasks: Sequence[Task],
    *,
    baseline: str | None = None,
    batch_size: int = 32,
    max_examples: int | None = None,
    resamples: int = 1000,
    seed: int = 0,
    verbose: int = 1,
    directory: str | os.PathLike | None = None,
) -> Comparison:
    """Puts models side by side, each with its distance from a baseline.

    All models see the same examples, and each resample of the bootstrap draws
    the same ones for all, so that a difference is known far better than the
    two numbers it is taken of. A data set must give its examples in the same
    order each time: turn off shuffling. In another order the intervals are
    still right, but wider.

    The interval of a difference says what other examples would change, and
    nothing of another training run.

    Args:
        models: by name, as in `{"base": vit, "plex": plex}`; two or more.
        tasks: as for `evaluate`.
        baseline: the name of the model that others are compared with. Defaults
            to the first.
        batch_size: for arrays, and of the batch that is timed. Defaults to
            `32`.
        max_examples: of each set, the first ones. Defaults to all.
        resamples: of the bootstrap; 0 for none. Defaults to `1000`.
        seed: int, of the bootstrap. Defaults to `0`.
        verbose: 0 or 1; 1 shows progress bars. Defaults to `1`.
        directory: where what each model said about each data set is kept as
            soon as it is there: after a crash the same call measures only what
            is missing, and costs. Defaults to none.

    Returns:
        A `Comparison`: `reports`, `differences`, `score_differences`,
        `cost_ratios()`, `to_markdown()`, `to_html()`, `save(directory)`.

    Raises:
        ValueError: for fewer than two models, names that are no strings, an
            unknown baseline, models whose numbers of classes differ, tasks
            that `load_tasks` made for a model with other inputs, and for a
            directory that holds what was measured on others.

    Example:

    >>> from keras_plex.tasks import InDistribution
    >>> sharp = keras.Sequential([keras.Input((2,)), keras.layers.Softmax()])
    >>> flat = keras.Sequential(
    ...     [keras.Input((2,)), keras.layers.Rescaling(0.5), sharp]
    ... )
    >>> x = np.eye(2)[np.arange(20) % 2]
    >>> task = InDistribution((4 * x, np.arange(20) % 2))
    >>> found = compare({"sharp": sharp, "flat": flat}, [task], verbose=0)
    >>> nll = found["flat"]["in_distribution"]["nll"]
    >>> round(nll.difference, 3), nll.verdict
    (0.109, 'worse')

    Reference:
        Efron and Tibshirani, 1993, "An introduction to the bootstrap".
    """
    check_names(models, "models")
    tasks = checked_tasks(tasks)
    baseline = checked_baseline(models, baseline)
    _check_classes(models, baseline)
    check_loaded_for(tasks, models.values())
    reports = {}
    for name, model in models.items():
        if verbose:
            print(name, file=sys.stderr)
        reports[name] = evaluate(
            model,
            tasks,
            batch_size=batch_size,
            max_examples=max_examples,
            resamples=resamples,
            seed=seed,
            measure_cost=True,
            verbose=verbose,
            directory=_folder_of(name, directory),
        )
    return Comparison.from_reports(reports, baseline)


def _folder_of(
    name: str, directory: str | os.PathLike | None
) -> pathlib.Path | None:
    """A name that can be read, and that no two models share."""
    if directory is None:
        return None
    readable = re.sub(r"[^\w-]+", "_", name)[:50]
    exact = hashlib.blake2b(repr(name).encode(), digest_size=4).hexdigest()
    return pathlib.Path(directory) / FOLDER / f"{readable}-{exact}"


def _check_classes(models: Mapping[str, keras.Model], baseline: str) -> None:
    """Raises before the first pass, as far as the models say it."""
    for model in models.values():
        classifier_kind(model)
    counts = {name: num_classes_of(model) for name, model in models.items()}
    expected = counts[baseline]
    for name, count in counts.items():
        if None not in (count, expected) and count != expected:
            raise ValueError(
                "Models are compared on the same classes. Received: "
                f"{name!r} has {count}, {baseline!r} has {expected}"
            )
