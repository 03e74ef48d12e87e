"""What a SavedModel answers that Keras's own `export` wrote."""

import pathlib
from typing import Any

import numpy as np
from keras import ops
from keras import tree


def call_saved_model(path: str | pathlib.Path, inputs: Any) -> Any:
    """Loads a folder of `model.export(path)` and calls its `serve`.

    Args:
        path: the folder; the model may have been TensorFlow's or JAX's.
        inputs: one batch of what the model takes, as tensors or arrays.

    Returns:
        The outputs as NumPy arrays, in the structure of the model's.
    """
    import tensorflow as tf

    loaded = tf.saved_model.load(str(path))
    arrays = tree.map_structure(ops.convert_to_numpy, inputs)
    outputs = loaded.serve(tree.map_structure(tf.constant, arrays))
    return tree.map_structure(np.asarray, outputs)
