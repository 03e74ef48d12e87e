"""What scores read from predictions."""

from typing import Any

import numpy as np
from keras import ops

from keras_plex.types import Tensor

# `Predictions`, or any object with its fields, as arrays or as tensors.
Fields = Any


def class_logits(predictions: Fields, score_name: str) -> Tensor:
    """The members' logits, `(batch, ensemble, classes)`; two for one unit.

    One logit z, of a sigmoid, is the difference of two classes' logits. They
    are taken as -z/2 and z/2, so that neither class counts as unknown.

    Args:
        predictions: with `member_logits`.
        score_name: whose error it is where there are none.
    """
    logits = predictions.member_logits
    if logits is None:
        raise ValueError(
            f'Score "{score_name}" needs `member_logits`, which a model that '
            "outputs probabilities does not have. Give the model's last layer "
            'no activation, or use score "msp".'
        )
    logits = ops.convert_to_tensor(logits)
    if logits.shape[-1] > 1:
        return logits
    return ops.concatenate([-0.5 * logits, 0.5 * logits], axis=-1)


def same_kind(values: Tensor, field: Tensor) -> Tensor:
    """NumPy for a NumPy field, else the tensor as it is."""
    if isinstance(field, np.ndarray):
        return ops.convert_to_numpy(values)
    return values
