"""Columns of numbers as files: NumPy's npz with a description, no pickles."""

import json
import pathlib
from collections.abc import Callable
from collections.abc import Mapping
from typing import Any

import numpy as np

from keras_plex.files import whole_file
from keras_plex.types import Config

# The entry of the file that holds everything but arrays, as JSON.
DESCRIPTION = "keras_plex_evidence"


def write_columns(
    path: pathlib.Path, description: Config, columns: Mapping[str, np.ndarray]
) -> None:
    """Writes a file that is never seen half written.

    Args:
        path: of the file, which is replaced if it exists.
        description: what JSON can hold.
        columns: by name; texts may be Python objects.
    """
    entries: dict[str, Any] = {
        DESCRIPTION: np.array(json.dumps(description)),
        **{name: _plain(column) for name, column in columns.items()},
    }
    with whole_file(path) as file:
        np.savez(file, **entries)


def read_columns(
    path: pathlib.Path,
) -> tuple[Config, dict[str, np.ndarray]] | None:
    """What `write_columns` wrote; `None` for a damaged file or none at all."""

    def read(entries: Mapping[str, np.ndarray]) -> tuple[Config, dict]:
        # Each entry has a checksum, which reading it compares.
        columns = dict(entries)
        return json.loads(str(columns.pop(DESCRIPTION))), columns

    return _read(path, read)


def read_description(path: pathlib.Path) -> Config | None:
    """The description alone; `None` for a damaged file or none at all."""
    return _read(path, lambda entries: json.loads(str(entries[DESCRIPTION])))


def _read(path: pathlib.Path, read: Callable[[Any], Any]) -> Any | None:
    """What is read from the entries of a file; `None` where it is damaged."""
    try:
        with open(path, "rb") as file, np.load(file) as entries:
            return read(entries)
    except PermissionError:
        raise
    except Exception:
        return None


def _plain(column: np.ndarray) -> np.ndarray:
    """Texts that are Python objects, as an array of texts."""
    if column.dtype.kind != "O":
        return column
    plain = np.array(column.tolist())
    if plain.dtype.kind == "O":
        raise ValueError(
            "Evidence must be numbers or texts. "
            f"Received: {sorted({type(x).__name__ for x in column.flat})}"
        )
    return plain
