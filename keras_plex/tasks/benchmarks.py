"""Named benchmarks: a task on public data, made by its name."""

import os
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import NamedTuple

import keras

from keras_plex.data.named.batches import NamedBatches
from keras_plex.data.named.benchmark import Benchmark
from keras_plex.data.named.benchmark_table import BENCHMARKS
from keras_plex.data.named.directories import data_directory
from keras_plex.data.named.downloads import prepare_data_sets
from keras_plex.data.named.model_inputs import ImageInputs
from keras_plex.data.named.named_data_set import MODALITIES
from keras_plex.data.named.reader import Reader
from keras_plex.tables import lookup
from keras_plex.tasks.arguments import check_positive
from keras_plex.tasks.checks import classifier_kind
from keras_plex.tasks.checks import num_classes_of
from keras_plex.tasks.table import TASKS
from keras_plex.tasks.task import Task


def benchmarks(modality: str | None = None) -> dict[str, Benchmark]:
    """The named benchmarks, by name; what they need stands in each.

    Args:
        modality: `"image"`, `"text"` or `"text pair"`. Defaults to all.

    Example:

    >>> found = benchmarks("text")
    >>> "open_set/clinc_oos" in found, "open_set/cifar10" in found
    (True, False)
    >>> found["open_set/clinc_oos"].test.split
    'test'
    """
    if modality is not None:
        lookup(dict.fromkeys(MODALITIES), modality, "modality")
    return {
        name: benchmark
        for name, benchmark in BENCHMARKS.items()
        if modality in (None, benchmark.modality)
    }


def load_task(name: str, model: keras.Model, **options: Any) -> Task:
    """The task of one named benchmark, for `keras_plex.evaluate`.

    Args:
        name: such as `"open_set/cifar10"`; `benchmarks()` has them all.
        model: the classifier that it will measure.
        **options: those of `load_tasks`, such as `data_dir`.

    Example:

    >>> layers = [keras.layers.Flatten(), keras.layers.Dense(3)]
    >>> model = keras.Sequential([keras.Input((32, 32, 3)), *layers])
    >>> load_task("open_set/cifar10", model)
    Traceback (most recent call last):
        ...
    ValueError: The labels of 'cifar10' have 10 classes, and the model has 3...
    """
    return load_tasks([name], model, **options)[0]


def load_tasks(
    names: Sequence[str],
    model: keras.Model,
    *,
    data_dir: str | os.PathLike | None = None,
    download: bool = False,
    max_examples: int | None = None,
    value_range: tuple[float, float] | None = None,
    batch_size: int = 32,
) -> list[Task]:
    """The tasks of named benchmarks, for `keras_plex.evaluate`.

    Data come through TensorFlow Datasets. They are read batch by batch, in a
    fixed order; a split that several tasks hold passes through the model once.
    Images are resized to what the model takes, and get as many channels; texts
    are strings, pairs of texts a tuple.

    Args:
        names: such as `["calibration/cifar10", "open_set/cifar10"]`.
        model: the classifier that they will measure: it says which inputs it
            takes and how many classes it has.
        data_dir: where data sets lie. Defaults to `TFDS_DATA_DIR`, or else
            `~/tensorflow_datasets`.
        download: whether what is missing may be downloaded and prepared
            there. Defaults to `False`: an error says what it is and how large.
        max_examples: of each split, the first ones. Defaults to all.
        value_range: black and white of the model's images. Defaults to
            `(0, 1)`; a KerasHub task with a preprocessor takes raw images.
        batch_size: how many examples are read at a time. Defaults to `32`.

    Raises:
        ValueError: for data that are missing, or do not fit the model.

    Example:

    >>> layers = [keras.layers.Flatten(), keras.layers.Dense(10)]
    >>> model = keras.Sequential([keras.Input((32, 32, 3)), *layers])
    >>> load_tasks(["calibration/cifar10"], model, data_dir="/nowhere")
    Traceback (most recent call last):
        ...
    ValueError: 1 data set is not in '/nowhere':
    - cifar10: 162.2 MiB to download; licence: not known here, see ...
    """
    if isinstance(names, str):
        raise ValueError(
            "`names` must be a list. "
            f"Received: names={names!r}; did you mean [{names!r}]?"
        )
    check_positive(max_examples=max_examples, batch_size=batch_size)
    classifier_kind(model)
    chosen = {name: lookup(BENCHMARKS, name, "benchmark") for name in names}
    reader = Reader(
        model,
        num_classes_of(model),
        value_range=value_range,
        batch_size=batch_size,
        max_examples=max_examples,
    )
    rows = {}
    for benchmark in chosen.values():
        reader.check(benchmark.parts())
        rows |= {part.data_set: part.row for part, _ in benchmark.parts()}
    paths = prepare_data_sets(
        rows.values(), data_directory(data_dir), download=download
    )
    return [
        _make_task(name, benchmark, reader, paths)
        for name, benchmark in chosen.items()
    ]


class TaskData(NamedTuple):
    """The data of one benchmark, ready to be read, and further arguments."""

    test: NamedBatches
    others: dict[str, NamedBatches]
    train: NamedBatches | None
    options: dict[str, Any]


# Task class, its data, its name -> the task.
MakeTask = Callable[[Callable[..., Task], TaskData, str], Task]


def _of_test(task: Callable[..., Task], data: TaskData, name: str) -> Task:
    return task(data.test, name=name, **data.options)


def _of_unknown(task: Callable[..., Task], data: TaskData, name: str) -> Task:
    return task(
        data.test,
        data.others,
        training=data.train,
        name=name,
        **data.options,
    )


def _of_shifts(task: Callable[..., Task], data: TaskData, name: str) -> Task:
    return task(data.test, data.others, name=name, **data.options)


def _of_training(task: Callable[..., Task], data: TaskData, name: str) -> Task:
    return task(data.train, data.test, name=name, **data.options)


def _of_all(task: Callable[..., Task], data: TaskData, name: str) -> Task:
    return task(data.train, data.test, data.others, name=name, **data.options)


# Kind of task -> how it takes its data.
MAKERS: dict[str, MakeTask] = {
    "calibration": _of_test,
    "selective_prediction": _of_test,
    "open_set_recognition": _of_unknown,
    "label_uncertainty": _of_test,
    "in_distribution": _of_test,
    "covariate_shift": _of_shifts,
    "subpopulation_shift": _of_test,
    "active_learning": _of_training,
    "few_shot_learning": _of_training,
    "few_shot_uncertainty": _of_all,
}


def _make_task(
    name: str,
    benchmark: Benchmark,
    reader: Reader,
    paths: Mapping[str, Any],
) -> Task:
    parts = {
        part: reader.read(part, known, paths)
        for part, known in benchmark.parts()
    }
    options = dict(benchmark.options)
    inputs = parts[benchmark.test].inputs
    if "corruptions" in options and isinstance(inputs, ImageInputs):
        options["value_range"] = inputs.value_range
    train = benchmark.train
    data = TaskData(
        test=parts[benchmark.test],
        others={key: parts[part] for key, part in benchmark.others.items()},
        train=None if train is None else parts[train],
        options=options,
    )
    return MAKERS[benchmark.kind](TASKS[benchmark.kind], data, name)
