"""From the options to the tasks."""

import argparse
import copy
from collections.abc import Mapping
from collections.abc import Sequence

import keras

from keras_plex.cli.build_tasks import TaskRequest
from keras_plex.cli.build_tasks import build_task
from keras_plex.cli.build_tasks import suffices
from keras_plex.cli.build_tasks import typed_options
from keras_plex.cli.data_files import DataFiles
from keras_plex.cli.named_tasks import check_kind
from keras_plex.cli.named_tasks import is_benchmark
from keras_plex.cli.named_tasks import load_named_tasks
from keras_plex.cli.reading import check_same_images
from keras_plex.cli.reading import image_range
from keras_plex.cli.reading import reading_for
from keras_plex.cli.task_files import read_task_file
from keras_plex.cli.task_needs import NEEDS
from keras_plex.cli.typed_values import parse_value
from keras_plex.cli.typed_values import split_pairs
from keras_plex.cli.unread import check_reading
from keras_plex.cli.unread import check_used
from keras_plex.cli.unread import check_words
from keras_plex.tasks.table import TASKS
from keras_plex.tasks.task import Task


def make_tasks(
    arguments: argparse.Namespace, models: Mapping[str, keras.Model]
) -> list[Task]:
    """The tasks that were asked for, in their order.

    Args:
        arguments: of `add_task_arguments`.
        models: by name. The first says how large images are, and how many
            classes there are; others must take the same.
    """
    files = DataFiles(reading_for(arguments, next(iter(models.values()))))
    requests = _requests(arguments, files)
    made = {
        number: build_task(request, files)
        for number, request in enumerate(requests)
        if not is_benchmark(request.kind)
    }
    # Before benchmarks, which may take a download.
    kinds = [request.kind for request in requests]
    check_reading(arguments, files.found.values(), kinds)
    if any(loaded.is_batched for loaded in files.found.values()):
        check_same_images(arguments, models)
    made |= _named_tasks(requests, arguments, models)
    return [made[number] for number in range(len(requests))]


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
    models: Mapping[str, keras.Model],
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
        models,
        data_dir=arguments.data_dir,
        download=arguments.download,
        max_examples=arguments.max_examples,
        value_range=image_range(arguments),
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
    check_words(data)
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
    check_used(with_files, data, options)
    return [
        TaskRequest(kind, data, typed_options(kind, options))
        if kind in with_files
        else TaskRequest(kind, {}, {})
        for kind in kinds
    ]
