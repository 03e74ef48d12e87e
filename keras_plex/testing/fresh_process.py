"""What a saved model says in a process that only imported `keras_plex`."""

import os
import pathlib
import pickle
import subprocess
import sys
import tempfile
from typing import Any

import keras
import numpy as np
from keras import tree

SCRIPT = """
import pickle, sys
import keras, keras_plex
path, inputs, outputs = sys.argv[1:]
with open(inputs, "rb") as file:
    x = pickle.load(file)
x = keras.tree.map_structure(keras.ops.convert_to_tensor, x)
model = keras.saving.load_model(path)
found = keras.tree.map_structure(
    lambda y: keras.ops.convert_to_numpy(keras.ops.cast(y, "float32")), model(x)
)
with open(outputs, "wb") as file:
    pickle.dump(keras.tree.flatten(found), file)
"""


def call_in_fresh_process(
    path: str | pathlib.Path, inputs: Any, backend: str | None = None
) -> list[np.ndarray]:
    """Loads a model's file in a process of its own, and calls it.

    Args:
        path: a `.keras` file.
        inputs: arrays that the model is called with.
        backend: of the process. Defaults to the one in use.

    Returns:
        The flat outputs, float32.
    """
    backend = backend or keras.config.backend()
    with tempfile.TemporaryDirectory() as folder:
        asked = pathlib.Path(folder, "inputs")
        answer = pathlib.Path(folder, "outputs")
        arrays = tree.map_structure(keras.ops.convert_to_numpy, inputs)
        asked.write_bytes(pickle.dumps(arrays))
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, str(path), str(asked), str(answer)],
            env={**os.environ, "KERAS_BACKEND": backend},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, f"loading it failed: {done.stderr[-2000:]}"
        return pickle.loads(answer.read_bytes())
