"""Fitted scores as files: NumPy's npz, without pickled objects."""

import json
import os
import pathlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from keras_plex.files import whole_file
from keras_plex.types import Config

# The entry of the file that holds everything but arrays, as JSON.
DESCRIPTION = "keras_plex_score"


def write_score(
    path: str | pathlib.Path,
    description: Config,
    arrays: Mapping[str, np.ndarray],
) -> None:
    """Writes a file that is never seen half written.

    Args:
        path: of the file, which is replaced if it exists.
        description: what JSON can hold.
        arrays: by name.
    """
    path = pathlib.Path(path)
    plain = {name: np.asarray(array) for name, array in arrays.items()}
    objects = [name for name, one in plain.items() if one.dtype.kind == "O"]
    if objects:
        raise ValueError(
            "A score must be fitted to numbers. "
            f"Received: Python objects in {objects}"
        )
    entries: dict[str, Any] = {
        DESCRIPTION: np.array(json.dumps(description)),
        **plain,
    }
    with whole_file(path) as file:
        np.savez(file, **entries)


def read_score(
    path: str | pathlib.Path,
) -> tuple[Config, dict[str, np.ndarray]]:
    """What `write_score` wrote: the description, and the arrays by name."""
    path = pathlib.Path(path)
    try:
        with open(path, "rb") as file, np.load(file) as entries:
            arrays = {name: entries[name] for name in entries.files}
        description = json.loads(str(arrays.pop(DESCRIPTION)))
    except FileNotFoundError:
        raise
    except Exception as error:
        raise ValueError(
            "`path` must be a file that `FeatureScore.save` wrote. "
            f"Received: path={os.fspath(path)!r} ({str(error)[:200]})"
        ) from error
    return description, arrays
