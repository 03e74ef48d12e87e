"""The folder of `--output`, looked at before anything is measured."""

import os
import pathlib
from typing import NamedTuple

from keras_plex.tasks.comparisons import comparison
from keras_plex.tasks.reports import report
from keras_plex.tasks.reports.files import check_directory
from keras_plex.tasks.reports.read_report import SCHEMA
from keras_plex.tasks.resume.folder import FOLDER


class Contents(NamedTuple):
    """What a command writes: see `check_directory`."""

    names: tuple[str, ...]
    schema: str
    beside: tuple[str, ...] = ()


REPORT = Contents(report.FILES, SCHEMA, (FOLDER,))
COMPARISON = Contents(
    ("comparison.json", "comparison.md", "comparison.html"),
    comparison.SCHEMA,
    (FOLDER,),
)


def checked_folder(
    output: str | None, contents: Contents
) -> pathlib.Path | None:
    """The folder, which is not made yet; `None` for none.

    Raises:
        ValueError: unless it is new, empty or of an earlier command.
        OSError: where it cannot be made or written.
    """
    if output is None:
        return None
    folder = pathlib.Path(output)
    nearest = nearest_existing(folder)
    if not nearest.is_dir():
        raise ValueError(
            f"--output must be a folder. Received: the file {str(nearest)!r}"
        )
    if not os.access(nearest, os.W_OK):
        raise PermissionError(f"--output: {str(nearest)!r} cannot be written.")
    check_directory(folder, **contents._asdict())
    return folder


def nearest_existing(path: pathlib.Path) -> pathlib.Path:
    """The path, or what is there of its parents: where it will be made."""
    lineage = (path, *path.absolute().parents)
    return next(one for one in lineage if one.exists())
