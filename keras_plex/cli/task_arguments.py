"""From the options to the tasks."""

import argparse
import pathlib
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import keras

from keras_plex.checks import is_positive_integer
from keras_plex.cli.build_tasks import TaskRequest
from keras_plex.cli.build_tasks import build_task
from keras_plex.cli.build_tasks import option_names
from keras_plex.cli.build_tasks import roles_of
from keras_plex.cli.build_tasks import suffices
from keras_plex.cli.data_files import DataFiles
from keras_plex.cli.data_files import Reading
from keras_plex.cli.named_tasks import load_named_tasks
from keras_plex.cli.task_files import read_task_file
from keras_plex.cli.task_needs import NEEDS
from keras_plex.tables import lookup
from keras_plex.tasks.checks import num_classes_of
from keras_plex.tasks.task import Task


def make_tasks(arguments: argparse.Namespace, model: keras.Model) -> list[Task]:
    """The tasks that were asked for.

    Args:
        arguments: of `add_task_arguments`.
        model: says how large images are, and how many classes there are.
    """
    if not is_positive_integer(arguments.batch_size):
        raise ValueError(
            "--batch-size must be a positive integer. "
            f"Received: {arguments.batch_size}"
        )
    files = DataFiles(_reading(arguments, model))
    if arguments.tasks is not None:
        if arguments.task or arguments.data or arguments.option:
            raise ValueError(
                "--tasks stands in place of --task, --data and --option."
            )
        requests = read_task_file(arguments.tasks)
        return [build_task(request, files) for request in requests]
    named = [one for one in dict.fromkeys(arguments.task) if "/" in one]
    kinds = [one for one in dict.fromkeys(arguments.task) if "/" not in one]
    tasks: list[Task] = []
    if kinds or not named or arguments.data:
        requests = _requests(kinds, arguments, files)
        tasks += [build_task(request, files) for request in requests]
    if named:
        tasks += load_named_tasks(
            named,
            model,
            data_dir=arguments.data_dir,
            download=arguments.download,
            max_examples=arguments.max_examples,
            value_range=_image_range(arguments),
            batch_size=arguments.batch_size,
        )
    return tasks


def _requests(
    kinds: list[str], arguments: argparse.Namespace, files: DataFiles
) -> list[TaskRequest]:
    data = split_pairs(arguments.data, "--data")
    options = {
        name: parse_value(value)
        for name, value in split_pairs(arguments.option, "--option").items()
    }
    for kind in kinds:
        lookup(NEEDS, kind, "task")
    if not kinds:
        kinds = [one for one in NEEDS if suffices(one, data, options, files)]
    if not kinds:
        raise ValueError(
            "There is nothing to measure: pass --data test=PATH. "
            f"Received: {', '.join(data) or 'no data'}"
        )
    _check_used(kinds, data, options)
    return [
        TaskRequest(
            kind,
            data,
            {k: v for k, v in options.items() if k in option_names(kind)},
        )
        for kind in kinds
    ]


def _check_used(
    kinds: Sequence[str], data: Mapping[str, str], options: Mapping[str, Any]
) -> None:
    """Raises for what no task would look at."""
    roles = roles_of(kinds)
    for word in data:
        if word.partition(".")[0] not in roles:
            raise ValueError(
                f"No task that was asked for reads {word!r}. "
                f"Tasks: {', '.join(kinds)}. Their data: {', '.join(roles)}."
            )
    known = {name for kind in kinds for name in option_names(kind)}
    for name in options:
        if name not in known:
            raise ValueError(
                f"No task that was asked for has the option {name!r}. "
                f"Available: {', '.join(sorted(known)) or 'none'}."
            )


def split_pairs(pairs: Sequence[str], option: str) -> dict[str, str]:
    """`["a=b"]` as a dict."""
    found: dict[str, str] = {}
    for pair in pairs:
        name, sign, value = pair.partition("=")
        if not (name and sign and value):
            raise ValueError(f"{option} takes NAME=VALUE. Received: {pair!r}")
        if name in found:
            raise ValueError(f"{option} has {name!r} twice.")
        found[name] = value
    return found


def parse_value(text: str) -> Any:
    """A number, a word, or a list of them where there are commas.

    Example:

    >>> parse_value("fog,contrast"), parse_value("1,3"), parse_value("fog,")
    (['fog', 'contrast'], [1, 3], ['fog'])
    """
    if "," in text:
        return [parse_value(part) for part in text.split(",") if part]
    for number in (int, float):
        try:
            return number(text)
        except ValueError:
            continue
    return text


def _reading(arguments: argparse.Namespace, model: keras.Model) -> Reading:
    size, channels = _image_shape(model)
    if arguments.image_size is not None:
        size = _two_numbers(arguments.image_size, "x", "--image-size", int)
    return Reading(
        classes=_class_names(arguments.classes),
        num_classes=num_classes_of(model),
        image_size=size,
        image_range=_image_range(arguments) or (0.0, 255.0),
        channels=channels,
        batch_size=arguments.batch_size,
    )


def _image_range(arguments: argparse.Namespace) -> tuple[float, float] | None:
    if arguments.image_range is None:
        return None
    return _two_numbers(arguments.image_range, ",", "--image-range", float)


def _class_names(classes: str | None) -> tuple[str, ...]:
    if classes is None:
        return ()
    file = pathlib.Path(classes)
    if file.is_file():
        return tuple(file.read_text(encoding="utf-8").splitlines())
    return tuple(classes.split(","))


def _two_numbers(text: str, sign: str, option: str, number: type) -> Any:
    parts = text.lower().split(sign)
    try:
        first, second = map(number, parts)
    except ValueError:
        raise ValueError(
            f"{option} takes two numbers, as in 1{sign}2. Received: {text!r}"
        ) from None
    return first, second


def _image_shape(model: keras.Model) -> tuple[tuple[int, int] | None, int]:
    """Height and width, where the model fixes them, and the channels."""
    shape = getattr(model, "input_shape", None)
    if not isinstance(shape, tuple) or len(shape) != 4:
        return None, 3
    if keras.config.image_data_format() == "channels_first":
        shape = (shape[0], *shape[2:], shape[1])
    height, width, channels = shape[1:]
    return (None if None in (height, width) else (height, width)), channels or 3
