"""What users of reliability tasks expect of one, as one assertion."""

import json
from collections.abc import Callable
from typing import NamedTuple

import keras
import numpy as np

from keras_plex.tasks.bootstrap import resample
from keras_plex.tasks.evaluate import evaluate
from keras_plex.tasks.measures import MEASURES
from keras_plex.tasks.measures import find_measure
from keras_plex.tasks.reports.result import Value
from keras_plex.tasks.task import CATEGORIES
from keras_plex.tasks.task import Task
from keras_plex.testing.shared import check_contracts
from keras_plex.testing.shared import to_numpy

MakeTask = Callable[[], Task]
RESAMPLES = 20


class _Models(NamedTuple):
    """A model that is right as often as can be, and one that guesses."""

    good: keras.Model
    poor: keras.Model


def check_task(
    make_task: MakeTask, good_model: keras.Model, poor_model: keras.Model
) -> None:
    """Asserts what users expect of a task, or says what breaks.

    For the tests of your own tasks. Its measures have names and a direction
    and lie where they can; its headline and scored measures are among them. A
    resample needs no model, the same seed gives the same intervals, and the
    batch size changes nothing. A good model has the better headline, and the
    weights of both stay as they are.

    Args:
        make_task: makes the task with its data, some hundred examples of each.
        good_model: a classifier that knows these data.
        poor_model: a classifier that does not.

    Example:

    >>> from keras_plex.tasks import InDistribution
    >>> x, y = np.eye(3, dtype="float32")[np.arange(60) % 3], np.arange(60) % 3
    >>> layer = keras.layers.Dense(3, kernel_initializer="identity")
    >>> good_model = keras.Sequential([keras.Input((3,)), layer])
    >>> guess = keras.layers.Dense(3, kernel_initializer="zeros")
    >>> poor_model = keras.Sequential([keras.Input((3,)), guess])
    >>> check_task(lambda: InDistribution((x, y)), good_model, poor_model)
    """
    kind = type(make_task())
    models = _Models(good_model, poor_model)
    check_contracts(kind, TASK_CONTRACTS, make_task, models)


def _values(
    make_task: MakeTask,
    model: keras.Model,
    *,
    batch_size: int = 32,
    seed: int = 0,
) -> dict[str, Value]:
    report = evaluate(
        model,
        [make_task()],
        batch_size=batch_size,
        resamples=RESAMPLES,
        seed=seed,
        verbose=0,
    )
    return report.results[0].measures


def _check_attributes(make_task: MakeTask, models: _Models) -> None:
    task = make_task()
    assert task.kind and task.name, "no name"
    assert task.category in CATEGORIES, f"category {task.category!r}"
    found = task.measure(task.predict(models.good))
    for name, value in found.items():
        assert isinstance(value, float), f"{name} is {type(value).__name__}"
        assert name.rpartition("/")[2] in MEASURES, f"{name}: no direction"
        kind = find_measure(name)
        in_range = kind.lowest - 1e-6 <= value <= kind.highest + 1e-6
        assert np.isnan(value) or in_range, f"{name} is {value}"
    for name in (task.headline, *task.scored):
        assert name in found, f"{name!r} is not among {list(found)}"


def _check_resample(make_task: MakeTask, models: _Models) -> None:
    task = make_task()
    evidence = task.predict(models.poor)
    drawn = task.measure(resample(evidence, 0, 0))
    assert set(drawn) <= set(task.measure(evidence)), "other names"
    headline = task.headline
    assert drawn[headline] != task.measure(evidence)[headline], (
        f"{headline} does not depend on the examples"
    )


def _check_seed(make_task: MakeTask, models: _Models) -> None:
    first = _values(make_task, models.poor)
    again = _values(make_task, models.poor)
    assert repr(first) == repr(again), "one seed, two results"
    other = _values(make_task, models.poor, seed=1)
    assert repr(first) != repr(other), "the seed changes nothing"
    for name in first:
        found, expected = other[name].value, first[name].value
        assert np.array_equal(found, expected, equal_nan=True), (
            f"the value of {name} depends on the seed"
        )


def _check_batch_size(make_task: MakeTask, models: _Models) -> None:
    task = make_task()
    found, expected = [
        task.measure(task.predict(models.poor, batch_size=size))
        for size in (7, 64)
    ]
    assert list(found) == list(expected), "other names"
    for name, value in found.items():
        np.testing.assert_allclose(
            value, expected[name], atol=1e-5, err_msg=name
        )


def _check_headline(make_task: MakeTask, models: _Models) -> None:
    headline = make_task().headline
    good = _values(make_task, models.good)[headline]
    poor = _values(make_task, models.poor)[headline]
    is_better = good.value > poor.value
    if not good.higher_is_better:
        is_better = good.value < poor.value
    assert is_better, f"{headline}: good {good.value}, poor {poor.value}"
    for one in (good, poor):
        assert one.low <= one.value <= one.high, f"{one} is not in its interval"


def _check_weights(make_task: MakeTask, models: _Models) -> None:
    for model in models:
        before = [to_numpy(one).copy() for one in model.weights]
        make_task().predict(model)
        assert len(before) == len(model.weights), "other weights"
        for old, new in zip(before, model.weights, strict=True):
            same = np.array_equal(old, to_numpy(new))
            assert same, f"{new.path} changed"


def _check_curves(make_task: MakeTask, models: _Models) -> None:
    task = make_task()
    curves = task.curves(task.predict(models.good))
    assert json.loads(json.dumps(curves)) == curves, "curves are no plain data"


TASK_CONTRACTS = {
    "the model's weights stay as they are": _check_weights,
    "measures have a name and a direction": _check_attributes,
    "evidence can be resampled": _check_resample,
    "one seed gives one result": _check_seed,
    "the batch size changes nothing": _check_batch_size,
    "a good model beats a poor one": _check_headline,
    "curves are plain data": _check_curves,
}
