"""One request to an exported model, with TensorFlow alone."""

import pathlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from keras_plex.export.model_card import read_model_card
from keras_plex.export.version_folder import find_versions
from keras_plex.tables import lookup


def answer_request(
    directory: str | pathlib.Path,
    x: ArrayLike | Mapping[str, ArrayLike],
    signature: str = "serving_default",
) -> dict[str, np.ndarray]:
    """What a server would answer, as NumPy arrays by name.

    For tests and first looks: each call loads the model anew.

    Args:
        directory: of `export_for_serving`, whose newest version answers, or a
            version folder.
        x: a batch, or batches by input name: of numbers, of strings, or of
            files as `bytes`.
        signature: `"serving_default"`, `"members"` or `"features"`.

    Raises:
        FileNotFoundError: where there is no exported model.
        ValueError: for a signature or inputs that the model does not have.
    """
    import tensorflow as tf

    loaded = load_version(find_version_folder(directory))
    function = lookup(dict(loaded.signatures), signature, "signature")
    specs = function.structured_input_signature[1]
    if not isinstance(x, Mapping):
        x = {next(iter(specs)) if len(specs) == 1 else "inputs": x}
    if set(x) != set(specs):
        raise ValueError(
            f"The model takes the inputs {sorted(specs)}. Received: {sorted(x)}"
        )
    tensors = {
        name: tf.constant(_as_array(name, x[name], specs[name]))
        for name in specs
    }
    return {name: y.numpy() for name, y in function(**tensors).items()}


def load_version(folder: pathlib.Path) -> Any:
    """The SavedModel in a version folder.

    Raises:
        ImportError: where it tokenizes texts and TensorFlow Text is missing.
    """
    import tensorflow as tf

    if read_model_card(folder).get("input_kind") == "text":
        try:
            import tensorflow_text  # noqa: F401  registers the operations
        except ImportError as error:
            raise ImportError(
                f"The model in {folder} turns texts into tokens, and this "
                "needs TensorFlow Text: `pip install tensorflow-text`."
            ) from error
    return tf.saved_model.load(str(folder))


def find_version_folder(directory: str | pathlib.Path) -> pathlib.Path:
    """The folder itself if it holds a model, else its newest version."""
    directory = pathlib.Path(directory)
    versions = find_versions(directory)
    folder = versions[max(versions)] if versions else directory
    for candidate in (directory, folder):
        if (candidate / "saved_model.pb").is_file():
            return candidate
    raise FileNotFoundError(
        f"Found no exported model in {folder}. Expected a version folder, or "
        "a folder of such, which `export_for_serving` writes."
    )


def _as_array(name: str, value: ArrayLike, spec: Any) -> np.ndarray:
    array = np.asarray(value, spec.dtype.as_numpy_dtype)
    if not spec.shape.is_compatible_with(array.shape):
        raise ValueError(
            f"Input {name!r} must have the shape {tuple(spec.shape)}. "
            f"Received: shape={array.shape}"
        )
    return array
