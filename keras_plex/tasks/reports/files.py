"""Several files in a directory of their own: all of them, or none."""

import json
import os
import pathlib
import shutil
import uuid
from collections.abc import Collection
from collections.abc import Mapping


def save_files(
    directory: str | os.PathLike,
    files: Mapping[str, str],
    *,
    schema: str,
    beside: Collection[str] = (),
) -> pathlib.Path:
    """Writes texts beside the directory, then moves them into it.

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
    # Beside the directory: in it, a leftover would be another file.
    unfinished = directory.with_name(f".{directory.name}.{uuid.uuid4().hex}")
    unfinished.mkdir()
    try:
        for name, text in files.items():
            (unfinished / name).write_text(text, encoding="utf-8")
        for name in files:
            os.replace(unfinished / name, directory / name)
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
            which are replaced.
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
    if _has_schema(directory / next(iter(names)), schema):
        ours |= set(names)
    others = sorted(found - ours)
    if others:
        raise ValueError(
            f"The directory {str(directory)!r} holds other files, which a "
            "report will not join. Pass an empty or a new one. "
            f"Received: {others[:3]}"
        )


def _has_schema(path: pathlib.Path, schema: str) -> bool:
    """Whether the file names this schema, in whatever version."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    named = found.get("schema") if isinstance(found, dict) else None
    return str(named).startswith(schema.partition("/")[0] + "/")
