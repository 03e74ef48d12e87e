"""From what was typed, or stands in a file, to tasks with their data."""

import inspect
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import NamedTuple

from keras_plex.cli.data_files import DataFiles
from keras_plex.cli.data_files import LoadedData
from keras_plex.cli.task_needs import GROUPS
from keras_plex.cli.task_needs import LABELS
from keras_plex.cli.task_needs import NEEDS
from keras_plex.cli.task_needs import SOFT_LABELS
from keras_plex.cli.task_needs import Need
from keras_plex.cli.typed_values import as_argument
from keras_plex.tables import lookup
from keras_plex.tasks.table import TASKS
from keras_plex.tasks.task import Task

CORRUPTIONS = "corruptions"

# Arguments that are given otherwise, or cannot be typed: a function.
NO_OPTIONS = {"name", "fit"}


class TaskRequest(NamedTuple):
    """A task that was asked for.

    Args:
        kind: a key of `TASKS`.
        data: role, or role and name with a point between, -> path.
        options: of the task's class, by name.
        name: what the results are called.
    """

    kind: str
    data: Mapping[str, str]
    options: Mapping[str, Any]
    name: str | None = None


def build_task(request: TaskRequest, files: DataFiles) -> Task:
    """The task with its data.

    Raises:
        ValueError: for data or options that are missing or not the task's.
    """
    task_class = lookup(TASKS, request.kind, "task")
    needs = lookup(NEEDS, request.kind, "task with files")
    arguments: dict[str, Any] = {}
    for need in needs:
        found = _data_of(need, request, files)
        if found is not None:
            arguments[need.argument] = found
    known = option_names(request.kind)
    for name in request.options:
        if name not in known:
            raise ValueError(
                f"{request.kind!r} has no option {name!r}. Available: {known}."
            )
    try:
        return task_class(**arguments, **request.options, name=request.name)
    except ValueError as error:
        name = request.name or request.kind
        raise ValueError(f"The task {name!r}: {error}") from error


def option_names(kind: str) -> list[str]:
    """The arguments of the task's class that are no data."""
    others = {need.argument for need in NEEDS[kind]} | NO_OPTIONS
    names = inspect.signature(TASKS[kind]).parameters
    return [name for name in names if name not in others]


def typed_options(kind: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Those that the task's class has, as it takes them."""
    parameters = inspect.signature(TASKS[kind]).parameters
    return {
        name: as_argument(options[name], parameters[name])
        for name in option_names(kind)
        if name in options
    }


def roles_of(kinds: Sequence[str]) -> list[str]:
    """The words for data that these tasks know."""
    roles = [need.role for kind in kinds for need in NEEDS[kind]]
    return list(dict.fromkeys(roles))


def suffices(
    kind: str,
    data: Mapping[str, str],
    options: Mapping[str, Any],
    files: DataFiles,
) -> bool:
    """Whether a task that was not asked for is to be built from these data."""
    if kind == "covariate_shift" and CORRUPTIONS not in options:
        if not _paths(Need("shifted", "", is_many=True), data):
            return False
    for need in NEEDS[kind]:
        paths = _paths(need, data)
        if not paths and not need.is_optional:
            return False
        if any(
            not SUFFICES[need.has](
                files.load(path, with_labels=_labelled(need))
            )
            for path in paths.values()
        ):
            return False
    return True


# What a file must hold -> whether it does.
HOLDS = {
    None: lambda loaded: True,
    LABELS: lambda loaded: loaded.has_labels,
    SOFT_LABELS: lambda loaded: loaded.has_distributions,
    GROUPS: lambda loaded: loaded.has_labels and loaded.groups is not None,
}

# The same where a task was not asked for: one-hot labels tell of no annotators.
SUFFICES = {**HOLDS, SOFT_LABELS: lambda loaded: loaded.has_soft_labels}

# What a file must hold -> the argument of the task.
PARTS = {
    None: LoadedData.labelled,
    LABELS: LoadedData.labelled,
    SOFT_LABELS: LoadedData.labelled,
    GROUPS: LoadedData.grouped,
}


def _data_of(need: Need, request: TaskRequest, files: DataFiles) -> Any:
    paths = _paths(need, request.data)
    if not paths:
        if need.is_optional:
            return None
        raise ValueError(
            f"{request.kind!r} needs {need.word}=FILE. "
            f"Received: {', '.join(request.data) or 'no data'}"
        )
    found = {}
    for name, path in paths.items():
        loaded = files.load(path, with_labels=_labelled(need))
        if not HOLDS[need.has](loaded):
            raise ValueError(
                f"{request.kind!r} needs {need.has} in {need.role!r}. "
                f"Received: {path!r} without"
            )
        found[name] = PARTS[need.has](loaded)
    return found if need.is_many else found[""]


def _labelled(need: Need) -> bool:
    """Whether labels are read; those of unknown classes mean nothing."""
    return need.has is not None or not need.is_many


def _paths(need: Need, data: Mapping[str, str]) -> dict[str, str]:
    """Name -> path; the name is empty where there is one."""
    if not need.is_many:
        return {"": data[need.role]} if need.role in data else {}
    prefix = f"{need.role}."
    return {
        role.removeprefix(prefix): path
        for role, path in data.items()
        if role.startswith(prefix)
    }
