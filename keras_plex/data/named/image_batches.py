"""Images of a data set as a model takes them: channels and range of values."""

import numpy as np

from keras_plex.data.named.model_inputs import ImageInputs

# ITU-R BT.601, as in Pillow and TensorFlow.
LUMA = np.array([0.299, 0.587, 0.114], "float32")


def to_model_images(images: np.ndarray, inputs: ImageInputs) -> np.ndarray:
    """Images of the right channels and range, float32.

    Args:
        images: `(batch, height, width, channels)` from 0 to 255.
        inputs: what the model takes.

    Example:

    >>> inputs = ImageInputs(None, 3, (0.0, 1.0))
    >>> grey = np.full((1, 2, 2, 1), 255, "uint8")
    >>> to_model_images(grey, inputs)[0, 0, 0].tolist()
    [1.0, 1.0, 1.0]
    """
    # Resizing by bicubic interpolation goes beyond what it is given.
    images = np.clip(images.astype("float32"), 0, 255)
    if inputs.channels == 1 and images.shape[-1] == 3:
        images = images @ LUMA[:, None]
    elif inputs.channels == 3:
        images = np.broadcast_to(images, (*images.shape[:-1], 3))
    low, high = inputs.value_range
    return images * np.float32((high - low) / 255) + np.float32(low)
