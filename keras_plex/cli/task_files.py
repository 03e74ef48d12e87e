"""Many tasks from one file, TOML or JSON."""

import json
import pathlib
import tomllib
from collections.abc import Mapping
from typing import Any

from keras_plex.cli.build_tasks import TaskRequest
from keras_plex.cli.data_files import ENCODING
from keras_plex.cli.named_tasks import check_kind
from keras_plex.cli.named_tasks import is_benchmark
from keras_plex.cli.task_needs import NEEDS
from keras_plex.tables import lookup

LOADERS = {".toml": tomllib.loads, ".json": json.loads}


def read_task_file(path: str) -> list[TaskRequest]:
    """The tasks of a file.

    Each has its name: `[tasks.NAME]`, with `kind`, the paths of its data, which
    start at the folder of the file, and its options. A benchmark brings its
    data and options:

        [tasks.blurred]
        kind = "covariate_shift"
        test = "test.npz"
        shifted.blur = "blur.npz"
        corruptions = ["fog"]

        [tasks.far]
        kind = "open_set/cifar10"

    Args:
        path: of the file.
    """
    file = pathlib.Path(path)
    if not file.is_file():
        raise FileNotFoundError(f"There is no task file {path!r}.")
    load = lookup(LOADERS, file.suffix.lower(), "kind of task file")
    try:
        found = load(file.read_text(encoding=ENCODING))
    except ValueError as error:
        raise ValueError(f"{path!r} cannot be read: {error}") from error
    tasks = found.get("tasks") if isinstance(found, dict) else None
    if not isinstance(tasks, dict) or not tasks or set(found) != {"tasks"}:
        raise ValueError(
            f"{path!r} must hold tasks by name, as in [tasks.mine], and "
            "nothing else."
        )
    return [_request(name, one, file.parent) for name, one in tasks.items()]


def _request(name: str, entry: Any, folder: pathlib.Path) -> TaskRequest:
    if not isinstance(entry, Mapping) or "kind" not in entry:
        raise ValueError(f"The task {name!r} must have a `kind`.")
    rest = dict(entry)
    kind = str(rest.pop("kind"))
    check_kind(kind)
    if is_benchmark(kind) and rest:
        raise ValueError(
            f"The task {name!r} is the benchmark {kind!r}, which brings its "
            f"data and options: leave others out. Received: {sorted(rest)}"
        )
    data: dict[str, str] = {}
    for need in NEEDS.get(kind, ()):
        paths = rest.pop(need.role, None)
        if paths is None:
            continue
        if isinstance(paths, Mapping) != need.is_many:
            wanted = "paths by name" if need.is_many else "one path"
            raise ValueError(
                f"{need.role!r} of the task {name!r} must be {wanted}. "
                f"Received: {paths!r}"
            )
        words = {need.role: paths}
        if need.is_many:
            words = {f"{need.role}.{key}": one for key, one in paths.items()}
        for word, one in words.items():
            if not isinstance(one, str):
                raise ValueError(
                    f"{word!r} of the task {name!r} must be a path, a text. "
                    f"Received: {one!r}"
                )
            data[word] = str(folder / one)
    return TaskRequest(kind, data, rest, name)
