"""One pass of a model over each data set, for all the tasks that need it."""

import dataclasses
import time
from collections.abc import Callable
from collections.abc import Hashable
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import TYPE_CHECKING
from typing import Any

import keras
import numpy as np

from keras_plex.batches import Batch
from keras_plex.models.batch_details import predict_batch
from keras_plex.predictions import Predictions
from keras_plex.scores import FeatureScore
from keras_plex.scores import Score
from keras_plex.scores import fit_scores
from keras_plex.scores import needs_features
from keras_plex.scores import score_name
from keras_plex.tasks.arguments import with_name_of_set
from keras_plex.tasks.checks import check_batch
from keras_plex.tasks.checks import check_data_sets
from keras_plex.tasks.checks import classifier_kind
from keras_plex.tasks.checks import count_missing
from keras_plex.tasks.checks import first_batch
from keras_plex.tasks.checks import warn_of_missing
from keras_plex.tasks.columns import forecast_columns
from keras_plex.tasks.columns import value_metrics
from keras_plex.tasks.data_set import DataSet
from keras_plex.tasks.data_set import plain_groups
from keras_plex.tasks.examples import Evidence
from keras_plex.tasks.examples import Examples
from keras_plex.tasks.measurements import make_predictions

if TYPE_CHECKING:
    from keras_plex.tasks.task import Task

# Called with the name of a set, how many examples passed, and of how many.
OnProgress = Callable[[str, int, int | None], None]


class DataPass:
    """A data set that tasks share, and all that they want to know of it."""

    def __init__(self, where: str):
        self.where = where
        self.requests: list[DataSet] = []
        self.functions: dict[int, Score] = {}
        self.columns: dict[str | int, np.ndarray] = {}
        self.num_classes = 0
        self.seconds = 0.0


def collect_evidence(
    model: keras.Model,
    tasks: Sequence["Task"],
    *,
    batch_size: int = 32,
    max_examples: int | None = None,
    on_progress: OnProgress | None = None,
) -> list[Evidence]:
    """The evidence of each task; every data set is predicted once.

    A data set that several tasks hold passes once. Scores of features take one
    more pass over the training data, for each of these. Of the examples a few
    numbers each are kept; inputs, features and probabilities are not.

    Args:
        model: a `PlexModel` or another ensemble, or any Keras classifier.
        tasks: what is to be measured.
        batch_size: for arrays. Defaults to `32`.
        max_examples: of each set, the first ones. Defaults to all.
        on_progress: called after each batch.
    """
    kind = classifier_kind(model)
    passes = _plan(tasks)
    _check(passes.values(), model, batch_size)
    scores = [
        ready_scores(task, model, batch_size, max_examples) for task in tasks
    ]
    for task, functions in zip(tasks, scores, strict=True):
        for data_set in task.data_sets().values():
            for function in functions.values():
                passes[data_set.key].functions[id(function)] = function
    for one in passes.values():
        start = time.perf_counter()
        with_name_of_set(
            one.where,
            _run,
            one,
            model,
            kind,
            batch_size,
            max_examples,
            on_progress,
        )
        one.seconds = time.perf_counter() - start
    return [
        _evidence(task, functions, passes)
        for task, functions in zip(tasks, scores, strict=True)
    ]


def check_tasks(
    model: keras.Model, tasks: Sequence["Task"], batch_size: int
) -> None:
    """Raises for a model or data that cannot be measured; see `evaluate`."""
    classifier_kind(model)
    _check(_plan(tasks).values(), model, batch_size)


def _plan(tasks: Sequence["Task"]) -> dict[Hashable, DataPass]:
    passes: dict[Hashable, DataPass] = {}
    for task in tasks:
        for name, data_set in task.data_sets().items():
            where = f"{task.name}: {name}"
            one = passes.setdefault(data_set.key, DataPass(where))
            one.requests.append(data_set)
    return passes


def _check(
    passes: Iterable[DataPass], model: keras.Model, batch_size: int
) -> None:
    # Corrupted copies share the batch: to read it may take a while.
    batches: dict[Hashable, Batch] = {}
    for one in passes:
        data_set = one.requests[0]
        key = dataclasses.replace(data_set, corruption=None).key
        if key not in batches:
            batches[key] = with_name_of_set(
                one.where, first_batch, data_set, batch_size
            )
        with_name_of_set(
            one.where, check_data_sets, one.requests, model, batches[key]
        )


def ready_scores(
    task: "Task",
    model: keras.Model,
    batch_size: int,
    max_examples: int | None,
) -> dict[str, Score]:
    """The task's scores by name, fitted to its training data."""
    # What is fitted to this model must not be taken for fitted to the next.
    scores = [_own_copy(score) for score in task.scores(model)]
    return with_name_of_set(
        f"{task.name}: training",
        fit_scores,
        scores,
        model,
        task.training_data(),
        batch_size=batch_size,
        max_examples=max_examples,
    )


def _own_copy(score: str | Score) -> str | Score:
    if isinstance(score, FeatureScore) and not score.parameters:
        return type(score).from_config(score.get_config())
    return score


def _run(
    one: DataPass,
    model: keras.Model,
    kind: str,
    batch_size: int,
    max_examples: int | None,
    on_progress: OnProgress | None,
) -> None:
    """Fills the columns."""
    reads_labels = any(request.needs_labels for request in one.requests)
    features = any(map(needs_features, one.functions.values()))
    found: dict[str | int, list[np.ndarray]] = {}
    count, missing = 0, 0
    data_set, metrics = one.requests[0], value_metrics()
    total = data_set.num_examples()
    if total is not None and max_examples is not None:
        total = min(total, max_examples)
    for x, y, third in data_set.batches(batch_size):
        details = predict_batch(model, x, features=features)
        predictions = make_predictions(details, kind)
        one.num_classes = predictions.probabilities.shape[-1]
        check_batch(one.requests, predictions, y, third)
        labels = y if reads_labels else None
        columns: dict[str | int, Any] = {
            **forecast_columns(predictions, labels, metrics)
        }
        for key, function in one.functions.items():
            columns[key] = _rate(function, predictions)
        if third is not None:
            columns["group"] = np.asarray(third).reshape(-1)
        for key, column in columns.items():
            found.setdefault(key, []).append(column)
        count += len(predictions)
        missing += count_missing(x)
        if on_progress is not None:
            on_progress(one.where, count, total)
        if max_examples is not None and count >= max_examples:
            break
    warn_of_missing(missing, one.where)
    one.columns = {
        key: np.concatenate(parts)[:max_examples]
        for key, parts in found.items()
    }
    if "group" in one.columns:
        one.columns["group"] = plain_groups(one.columns["group"])


def _rate(function: Score, predictions: Predictions) -> np.ndarray:
    """The score of each example; raises for what ranks nothing."""
    found = np.asarray(function(predictions))
    if found.shape != (len(predictions),) or np.isnan(found).any():
        raise ValueError(
            f"The score {score_name(function)!r} must give one number per "
            f"example, {(len(predictions),)}. "
            f"Received: shape={found.shape}, {np.isnan(found).sum()} NaN"
        )
    return found


def _evidence(
    task: "Task",
    functions: Mapping[str, Score],
    passes: Mapping[Hashable, DataPass],
) -> Evidence:
    sets, seconds, num_classes = {}, 0.0, 0
    for name, data_set in task.data_sets().items():
        one = passes[data_set.key]
        columns = {k: v for k, v in one.columns.items() if isinstance(k, str)}
        if data_set.groups is not None:
            columns["group"] = data_set.groups[: len(columns["entropy"])]
        for score, function in functions.items():
            columns[f"score/{score}"] = one.columns[id(function)]
        sets[name] = Examples(columns, drawn_with=data_set.drawn_with)
        seconds += one.seconds
        num_classes = one.num_classes
    return Evidence(sets, num_classes, seconds)
