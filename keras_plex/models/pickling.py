"""A model as bytes, through Keras's own file."""

import pathlib
import tempfile

import keras


def to_bytes(model: keras.Model) -> bytes:
    """The `.keras` file of a model."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "model.keras")
        model.save(path)
        return path.read_bytes()


def from_bytes(data: bytes) -> keras.Model:
    """The model of a `.keras` file."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "model.keras")
        path.write_bytes(data)
        return keras.saving.load_model(path)
