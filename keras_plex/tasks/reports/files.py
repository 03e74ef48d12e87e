"""Several files in a directory of their own: all of them, or none."""

import json
import os
import pathlib
import shutil
import uuid
from collections.abc import Collection
from collections.abc import Mapping

from keras_plex.files import whole_file

# A folder in the directory itself, which may be a mount point, or the only one
# that can be written.
UNFINISHED = ".keras_plex_unfinished_"


def save_files(
    directory: str | os.PathLike,
    files: Mapping[str, str],
    *,
    schema: str,
    beside: Collection[str] = (),
) -> pathlib.Path:
    """Writes texts into a hidden folder of the directory, then moves them.

    Pages of the files that are replaced go first: whoever reads meanwhile, or
    after a kill, finds no page beside the JSON of another time.

    Args:
        directory: as for `check_directory`.
        files: name -> text; the first is JSON that names its schema.
        schema: such as `"keras_plex.report/2"`; of other versions, too, files
            are replaced.
        beside: as for `check_directory`.

    Raises:
        ValueError: as `check_directory` does.
    """
    directory = pathlib.Path(directory)
    check_directory(directory, files, schema=schema, beside=beside)
    directory.mkdir(parents=True, exist_ok=True)
    for leftover in _unfinished_folders(directory):
        shutil.rmtree(leftover)
    unfinished = directory / f"{UNFINISHED}{uuid.uuid4().hex}"
    unfinished.mkdir()
    try:
        for name, text in files.items():
            with whole_file(unfinished / name) as file:
                file.write(text.encode("utf-8"))
        _move_files(list(files), unfinished, directory)
    finally:
        shutil.rmtree(unfinished)
    return directory


def check_directory(
    directory: pathlib.Path,
    names: Collection[str],
    *,
    schema: str,
    beside: Collection[str] = (),
) -> None:
    """Raises where `save_files` would; nothing is written.

    Args:
        directory: a new or empty one, or one that holds such files alone,
            which are replaced, or what a killed run did not finish.
        names: of the files; the first is that of the JSON.
        schema: that it names.
        beside: names of folders that may lie there, and stay.

    Raises:
        ValueError: for a file in the place of the directory, and for a
            directory that holds other files.
    """
    if not directory.exists():
        return
    if not directory.is_dir():
        raise ValueError(
            "`directory` must be a directory. "
            f"Received: the file {str(directory)!r}"
        )
    found = {path.name for path in directory.iterdir()}
    ours = {name for name in beside if (directory / name).is_dir()}
    ours |= {path.name for path in _unfinished_folders(directory)}
    if _has_schema(directory / next(iter(names)), schema):
        ours |= set(names)
    others = sorted(found - ours)
    if others:
        raise ValueError(
            f"The directory {str(directory)!r} holds other files, which a "
            "report will not join. Pass an empty or a new one. "
            f"Received: {others[:3]}"
        )


def _unfinished_folders(directory: pathlib.Path) -> list[pathlib.Path]:
    """What killed runs left."""
    found = directory.glob(f"{UNFINISHED}*")
    return [path for path in found if path.is_dir()]


def _move_files(
    names: list[str], source: pathlib.Path, directory: pathlib.Path
) -> None:
    """The first one first: by it the directory is known as ours."""
    for name in names[1:]:
        (directory / name).unlink(missing_ok=True)
    for name in names:
        os.replace(source / name, directory / name)


def _has_schema(path: pathlib.Path, schema: str) -> bool:
    """Whether the file names this schema, in whatever version."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    named = found.get("schema") if isinstance(found, dict) else None
    return str(named).startswith(schema.partition("/")[0] + "/")
