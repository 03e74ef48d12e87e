"""What `evaluate` takes as tasks."""

from collections.abc import Iterable

from keras_plex.tables import lookup
from keras_plex.tasks.table import TASKS
from keras_plex.tasks.task import Task


def checked_tasks(tasks: Iterable[Task]) -> list[Task]:
    """The tasks as a list; raises for what is none, and for a name twice."""
    if isinstance(tasks, (Task, str)):
        tasks = [tasks]  # type: ignore
    tasks = list(tasks)
    for task in tasks:
        if isinstance(task, Task):
            continue
        kinds = list(TASKS.values())
        if task not in kinds:
            task = lookup(TASKS, task, "task")  # type: ignore
        raise ValueError(
            f"A task needs data: make one, as in `{task.__name__}((x, y))` "
            "from `keras_plex.tasks`. Available: "
            f"{', '.join(kind.__name__ for kind in kinds)}. "
            f"Received: {task.kind!r}"
        )
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
