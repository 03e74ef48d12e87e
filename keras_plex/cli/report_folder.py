"""The files of a report, in a folder that may hold more."""

import os
import pathlib
import shutil
import uuid
from collections.abc import Callable

# What marks a folder as ours: what `evaluate` and `compare` write.
OURS = ("evidence", "models", "report.json", "comparison.json")


def prepare_folder(output: str) -> pathlib.Path:
    """The folder; raises unless it is new, empty or of an earlier command."""
    folder = pathlib.Path(output)
    if folder.exists() and not folder.is_dir():
        raise ValueError(
            f"--output must be a folder. Received: the file {output!r}"
        )
    names = {path.name for path in folder.iterdir()} if folder.exists() else ()
    if names and not names & set(OURS):
        raise ValueError(
            f"The folder {output!r} holds other files, which a report will not "
            f"join. Pass an empty or a new one. Received: {sorted(names)[:3]}"
        )
    return folder


def save_into(
    folder: pathlib.Path, save: Callable[[pathlib.Path], object]
) -> None:
    """Lets `save` fill a new folder, and moves its files into this one.

    Args:
        folder: made if need be; files of the same names are replaced.
        save: such as `report.save`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = folder.with_name(f".{folder.name}.{uuid.uuid4().hex}")
    try:
        save(unfinished)
        for path in sorted(unfinished.iterdir()):
            os.replace(path, folder / path.name)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
