"""The `.keras` files that a command reads, and writes whole or not at all."""

import argparse
import os
import pathlib
import uuid

import keras

from keras_plex.cli.model_files import load_classifier
from keras_plex.cli.report_folder import nearest_existing

SUFFIX = ".keras"


def load_keras_model(path: str) -> keras.Model:
    """The model of a file; a SavedModel cannot be changed or saved again."""
    if pathlib.Path(path).is_dir():
        raise ValueError(
            "This takes a .keras file, not a SavedModel: pass the file that "
            f"it was exported from. Received: the folder {path!r}"
        )
    return load_classifier(path)


def add_output_arguments(parser: argparse.ArgumentParser) -> None:
    """`--output`, `--overwrite`."""
    parser.add_argument(
        "--output",
        required=True,
        metavar="FILE.keras",
        help="where the new model goes",
    )
    parser.add_argument(
        "--overwrite",
        action="store_true",
        help="replace --output if it exists",
    )


def checked_file(output: str, overwrite: bool) -> pathlib.Path:
    """The file, which is not made yet.

    Raises:
        ValueError: unless it is the name of a `.keras` file.
        OSError: for one that exists, or cannot be written.
    """
    file = pathlib.Path(output)
    if file.suffix != SUFFIX:
        raise ValueError(
            f"--output must end in {SUFFIX}, as in "
            f"{file.stem or 'model'}{SUFFIX}. Received: {output!r}"
        )
    if file.is_dir():
        raise IsADirectoryError(
            f"--output must be a file. Received: the folder {output!r}"
        )
    if file.exists() and not overwrite:
        raise FileExistsError(
            f"--output: {output!r} exists already. Pass another file, or "
            "--overwrite to replace it."
        )
    check_writable(file.absolute().parent)
    return file


def check_writable(folder: pathlib.Path) -> None:
    """Raises unless the folder, or what it will be made in, can be written."""
    nearest = nearest_existing(folder)
    if not nearest.is_dir() or not os.access(nearest, os.W_OK):
        raise PermissionError(
            f"--output must lie in a folder that can be written. Received: "
            f"{str(nearest)!r}"
        )


def save_model(model: keras.Model, file: pathlib.Path) -> None:
    """Writes beside the file, then renames; an error leaves it as it was."""
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_name(f".{uuid.uuid4().hex[:8]}.{file.name}")
    try:
        model.save(unfinished)
        os.replace(unfinished, file)
    finally:
        unfinished.unlink(missing_ok=True)
