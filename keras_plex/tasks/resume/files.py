"""Columns of numbers as files: NumPy's npz with a description, no pickles."""

import json
import pathlib
from collections.abc import Mapping

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
    entries = {
        DESCRIPTION: np.array(json.dumps(description)),
        **{name: _plain(column) for name, column in columns.items()},
    }
    with whole_file(path) as file:
        np.savez(file, allow_pickle=False, **entries)


def read_columns(
    path: pathlib.Path,
) -> tuple[Config, dict[str, np.ndarray]] | None:
    """What `write_columns` wrote; `None` for a damaged file or none at all."""
    try:
        # Each entry has a checksum, which reading it compares.
        with open(path, "rb") as file, np.load(file) as entries:
            columns = {name: entries[name] for name in entries.files}
        description = json.loads(str(columns.pop(DESCRIPTION)))
    except PermissionError:
        raise
    except Exception:
        return None
    return description, columns


def _plain(column: np.ndarray) -> np.ndarray:
    """Texts that are Python objects, as an array of texts."""
    return np.array(column.tolist()) if column.dtype.kind == "O" else column
