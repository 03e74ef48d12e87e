"""The settings of a task as plain data, to be kept with what it measured."""

import dataclasses
import functools
import inspect
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_plex.scores import Score
from keras_plex.scores import score as lookup_score
from keras_plex.scores.table import score_name
from keras_plex.tasks.resume.facts import without_data
from keras_plex.tasks.resume.values import PLAIN
from keras_plex.tasks.task import Task
from keras_plex.types import Config

# Longer values are told by their length: a report is no place for data.
LONGEST = 100


def describe_settings(task: Task) -> Config:
    """What two models must share for a task to be the same, beside data.

    `options` are the arguments that the task keeps under their names; `sets`
    the names of its data sets, with the corruption of each. Functions and
    objects are told by name: the same code is another in another Python. Of
    scores the first counts, which the headline is of: an ensemble has more.

    Example:

    >>> from keras_plex.tasks.covariate_shift import CovariateShift
    >>> images = np.zeros((2, 8, 8, 1)), np.zeros(2)
    >>> task = CovariateShift(images, corruptions=["fog"], severities=[3])
    >>> describe_settings(task)["sets"]
    {'clean': None, 'fog/3': ['fog', 3, None]}
    """
    data_sets = task.data_sets()
    settings = task.settings()
    data = [one.data for one in data_sets.values()] + [task.training_data()]
    options = {}
    for argument in sorted(_arguments(type(task)) - {"name"}):
        attribute, tell = HELD.get(argument, (argument, _plain))
        if attribute not in settings:
            continue
        bare = without_data(settings[attribute], data)
        if not _is_data(settings[attribute], bare):
            options[argument] = tell(bare)
    return {
        "options": options,
        "sets": {
            name: _plain(one.corruption and dataclasses.astuple(one.corruption))
            for name, one in data_sets.items()
        },
    }


def _arguments(kind: type[Task]) -> set[str]:
    """Of the constructors of the class and of those that it builds on."""
    return {
        name
        for cls in kind.__mro__
        for name in inspect.signature(cls.__init__).parameters
    }


def _is_data(value: Any, bare: Any) -> bool:
    """Whether nothing, or names alone, are left of it without data."""
    if isinstance(bare, Mapping) and bare:
        return all(_is_data(value[key], one) for key, one in bare.items())
    return bare is None and value is not None


def _plain(value: Any) -> Any:
    if isinstance(value, PLAIN):
        return value
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, functools.partial):
        return _plain(value.func)
    if isinstance(value, (Mapping, list, tuple)) and len(value) > LONGEST:
        return f"{type(value).__name__} of {len(value)}"
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    named = value if hasattr(value, "__qualname__") else type(value)
    return f"{named.__module__}.{named.__qualname__}"


def _first_score(scores: Sequence[str | Score] | None) -> list[Any]:
    """Its name, and the options of a score of features."""
    first = scores[0] if scores else "msp"
    found = lookup_score(first) if isinstance(first, str) else first
    config = found.get_config() if hasattr(found, "get_config") else {}
    return [score_name(first), _plain(config)]


# Argument -> the attribute that holds it, and what of that counts.
HELD: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "acquisition": ("acquisitions", list),
    "scores": ("chosen", _first_score),
}
