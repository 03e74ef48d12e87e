"""Models from what is on disk: a `.keras` file or a SavedModel."""

import argparse
import pathlib
import zipfile

import keras

from keras_plex.export.exported_classifier import ExportedClassifier

# Keras's own formats.
SUFFIXES = (".keras", ".h5", ".hdf5")


def add_model_arguments(parser: argparse.ArgumentParser) -> None:
    """`--output-kind`."""
    parser.add_argument(
        "--output-kind",
        metavar="KIND",
        help="what a SavedModel of model.export returns: softmax_logits, "
        "sigmoid_logits or probabilities",
    )


def load_classifier(path: str, output_kind: str | None = None) -> keras.Model:
    """The model.

    Args:
        path: of a `.keras` file, of a SavedModel, or of version folders as
            `export_for_serving` writes them, of which the newest is taken.
        output_kind: what a SavedModel of `model.export` returns.
    """
    file = pathlib.Path(path)
    if not file.exists():
        raise FileNotFoundError(f"There is no model {path!r}.")
    if file.is_dir():
        return ExportedClassifier(file, output_kind)
    if file.suffix not in SUFFIXES:
        raise ValueError(
            f"A model must be a `.keras` file or a SavedModel, a folder. "
            f"Received: {path!r}"
        )
    if output_kind is not None:
        raise ValueError(
            "A Keras model says itself what its outputs are: leave "
            f"--output-kind out. Received: {output_kind!r} for {path!r}"
        )
    if file.suffix == ".keras" and not zipfile.is_zipfile(file):
        raise ValueError(
            f"{path!r} is no Keras model: it is damaged, or was not written by "
            "`model.save`."
        )
    try:
        return keras.saving.load_model(file)
    except Exception as error:
        raise ValueError(
            f"The model {path!r} cannot be loaded. "
            f"{type(error).__name__}: {error}"
        ) from error


def model_names(paths: list[str]) -> list[str]:
    """A short name for each path, longer where two would be the same."""
    names = [pathlib.Path(path).stem or path for path in paths]
    return [
        path if names.count(name) > 1 else name
        for path, name in zip(paths, names, strict=True)
    ]
