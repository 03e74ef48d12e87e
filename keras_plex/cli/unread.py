"""What was typed and nothing would read is an error."""

import argparse
from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Mapping
from collections.abc import Sequence
from operator import attrgetter
from typing import Any
from typing import NamedTuple

from keras_plex.cli.build_tasks import option_names
from keras_plex.cli.build_tasks import roles_of
from keras_plex.cli.data_files import LoadedData
from keras_plex.cli.named_tasks import is_benchmark
from keras_plex.cli.task_needs import NEEDS
from keras_plex.cli.task_options import which_typed
from keras_plex.tasks.benchmarks import benchmarks


class Use(NamedTuple):
    """What an option of how data are read is for.

    Args:
        what: in words.
        is_read: whether a file was read by it.
        modality: of the benchmarks that are read by it; `None` for none.
    """

    what: str
    is_read: Callable[[LoadedData], bool]
    modality: str | None = None


USES = {
    "--classes": Use(
        "files whose labels are names of classes", attrgetter("has_names")
    ),
    "--image-size": Use("folders of images", attrgetter("is_batched")),
    "--image-range": Use(
        "folders of images and benchmarks of images",
        attrgetter("is_batched"),
        "image",
    ),
}


def check_words(data: Mapping[str, str]) -> None:
    """Raises for a name after the role where none is read, or the reverse.

    Args:
        data: role, or role and name with a point between, -> path.
    """
    needs = {need.role: need for one in NEEDS.values() for need in one}
    for word, path in data.items():
        role, point, name = word.partition(".")
        if role not in needs:
            continue
        is_right = bool(name) if needs[role].is_many else not point
        if not is_right:
            raise ValueError(
                f"--data takes {needs[role].word}=PATH. Received: {word}={path}"
            )


def check_used(
    kinds: Sequence[str], data: Mapping[str, str], options: Mapping[str, Any]
) -> None:
    """Raises for data and options of which no task knows.

    Args:
        kinds: of tasks with files.
        data: as for `check_words`.
        options: of tasks, by name.
    """
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


def check_reading(
    arguments: argparse.Namespace,
    loaded: Collection[LoadedData],
    kinds: Sequence[str],
) -> None:
    """Raises for an option of `USES` by which nothing is read.

    Args:
        arguments: of `add_task_arguments`.
        loaded: the files of all tasks.
        kinds: of all tasks, benchmarks among them.
    """
    named = [benchmarks()[kind] for kind in kinds if is_benchmark(kind)]
    modalities = {one.modality for one in named}
    for option in which_typed(arguments, USES):
        use = USES[option]
        if use.modality in modalities or any(map(use.is_read, loaded)):
            continue
        raise ValueError(
            f"{option} is for {use.what}: leave it out. Received: no such data"
        )
