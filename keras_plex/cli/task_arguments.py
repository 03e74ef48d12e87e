"""From the options to the tasks."""

import argparse
import copy
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
from keras_plex.cli.build_tasks import typed_options
from keras_plex.cli.data_files import DataFiles
from keras_plex.cli.data_files import Reading
from keras_plex.cli.named_tasks import check_kind
from keras_plex.cli.named_tasks import is_benchmark
from keras_plex.cli.named_tasks import load_named_tasks
from keras_plex.cli.task_files import read_task_file
from keras_plex.cli.task_needs import NEEDS
from keras_plex.cli.typed_values import parse_value
from keras_plex.cli.typed_values import split_pairs
from keras_plex.tasks.checks import num_classes_of
from keras_plex.tasks.table import TASKS
from keras_plex.tasks.task import Task


def make_tasks(arguments: argparse.Namespace, model: keras.Model) -> list[Task]:
    """The tasks that were asked for, in their order.

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
    requests = _requests(arguments, files)
    named = _named_tasks(requests, arguments, model)
    return [
        named[number] if number in named else build_task(request, files)
        for number, request in enumerate(requests)
    ]


def _requests(
    arguments: argparse.Namespace, files: DataFiles
) -> list[TaskRequest]:
    if arguments.tasks is None:
        return _typed_requests(arguments, files)
    if arguments.task or arguments.data or arguments.option:
        raise ValueError(
            "--tasks stands in place of --task, --data and --option."
        )
    return read_task_file(arguments.tasks)


def _named_tasks(
    requests: Sequence[TaskRequest],
    arguments: argparse.Namespace,
    model: keras.Model,
) -> dict[int, Task]:
    """The tasks of benchmarks, by their place among the requests."""
    places = {
        number: request
        for number, request in enumerate(requests)
        if is_benchmark(request.kind)
    }
    if not places and (arguments.download or arguments.data_dir is not None):
        raise ValueError(
            "--download and --data-dir are for named benchmarks, as in "
            "--task open_set/cifar10. Received: no benchmark"
        )
    tasks = load_named_tasks(
        [request.kind for request in places.values()],
        model,
        data_dir=arguments.data_dir,
        download=arguments.download,
        max_examples=arguments.max_examples,
        value_range=_image_range(arguments),
        batch_size=arguments.batch_size,
    )
    found = {
        number: copy.copy(tasks[one.kind]) for number, one in places.items()
    }
    for number, request in places.items():
        found[number].name = request.name or request.kind
    return found


def _typed_requests(
    arguments: argparse.Namespace, files: DataFiles
) -> list[TaskRequest]:
    data = split_pairs(arguments.data, "--data")
    options = {
        name: parse_value(value)
        for name, value in split_pairs(arguments.option, "--option").items()
    }
    kinds = list(dict.fromkeys(arguments.task))
    for kind in kinds:
        check_kind(kind)
    if not kinds:
        kinds = [
            kind
            for kind in NEEDS
            if TASKS[kind].category != "adaptation"  # these take their time
            and suffices(kind, data, options, files)
        ]
    if not kinds:
        raise ValueError(
            "There is nothing to measure: pass --data test=PATH with labels; "
            "`keras-plex tasks` lists what each task needs. "
            f"Received: {', '.join(data) or 'no data'}"
        )
    with_files = [kind for kind in kinds if not is_benchmark(kind)]
    _check_used(with_files, data, options)
    return [
        TaskRequest(kind, data, typed_options(kind, options))
        if kind in with_files
        else TaskRequest(kind, {}, {})
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
                f"Tasks with files: {', '.join(kinds) or 'none'}. "
                f"Their data: {', '.join(roles) or 'none'}."
            )
    known = {name for kind in kinds for name in option_names(kind)}
    for name in options:
        if name not in known:
            raise ValueError(
                f"No task that was asked for has the option {name!r}. "
                f"Available: {', '.join(sorted(known)) or 'none'}."
            )


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
