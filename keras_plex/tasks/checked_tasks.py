"""What `evaluate` takes as tasks."""

from collections.abc import Iterable
from typing import Any

import keras

from keras_plex.data.named.batches import NamedBatches
from keras_plex.tables import lookup
from keras_plex.tasks.table import TASKS
from keras_plex.tasks.task import Task


def checked_tasks(tasks: Iterable[Task]) -> list[Task]:
    """The tasks as a list; raises for what is none, and for a name twice."""
    if isinstance(tasks, (Task, str)) or not isinstance(tasks, Iterable):
        tasks = [tasks]  # type: ignore
    tasks = list(tasks)
    for task in tasks:
        if not isinstance(task, Task):
            raise ValueError(_no_task(task))
    if not tasks:
        raise ValueError("`tasks` must hold a task. Received: []")
    names = [task.name for task in tasks]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(
            "Each task needs a name of its own: pass `name=` to the second. "
            f"Received: {twice} twice"
        )
    return tasks


def check_loaded_for(
    tasks: Iterable[Task], models: Iterable[keras.Model]
) -> None:
    """Raises for named data that were made for a model with other inputs."""
    loaded = {
        id(one.data): one.data
        for task in tasks
        for one in task.data_sets().values()
        if isinstance(one.data, NamedBatches)
    }
    for model in models:
        for data in loaded.values():
            data.check_model(model)


def _no_task(received: Any) -> str:
    """What is wrong with what is no task."""
    kinds = list(TASKS.values())
    one = TASKS["calibration"]
    if isinstance(received, str):
        one = lookup(TASKS, received, "task")
    elif isinstance(received, type) and received in kinds:
        one, received = received, received.__name__
    else:
        received = type(received).__name__
    return (
        f"A task needs data: make one, as in `{one.__name__}((x, y))` from "
        "`keras_plex.tasks`. Available: "
        f"{', '.join(kind.__name__ for kind in kinds)}. Received: {received!r}"
    )
