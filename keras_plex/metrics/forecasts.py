"""Reads predictions and labels of every accepted form, inside a graph.

Whatever comes in, `(batch, classes)` comes out. A row that is no probability
distribution becomes NaN, so that a mistake shows in the result.
"""

import math

from keras import ops

from keras_plex.ops.probabilities import log_probabilities
from keras_plex.ops.probabilities import two_logits
from keras_plex.types import Tensor

# A bfloat16 softmax sums to one within 0.4 %.
SUM_TOLERANCE = 1e-2


def class_probabilities(
    y_pred: Tensor, from_logits: bool, dtype: str
) -> Tensor:
    """The forecast `(batch, classes)`: the mean of the members' probabilities.

    Args:
        y_pred: `(batch, classes)`, `(batch, ensemble, classes)`, or one unit
            `(batch,)`, `(batch, 1)`, `(batch, ensemble, 1)`, which is class 1
            of two.
        from_logits: softmax (one unit: sigmoid) is still to be applied.
        dtype: of the result.
    """
    members = _member_outputs(y_pred, dtype)
    is_binary = members.shape[-1] == 1
    if from_logits and is_binary:
        members = ops.sigmoid(two_logits(members))
    elif from_logits:
        members = ops.softmax(members)
    elif is_binary:
        members = ops.concatenate([1.0 - members, members], axis=-1)
    # (batch, ensemble, classes) -> (batch, classes)
    return nan_unless_distribution(ops.mean(members, axis=1))


def log_class_probabilities(
    y_pred: Tensor, from_logits: bool, dtype: str
) -> Tensor:
    """The logarithm of `class_probabilities`, exact for large logits."""
    if not from_logits:
        probabilities = class_probabilities(y_pred, False, dtype)
        is_zero = probabilities <= 0
        logarithm = ops.log(ops.where(is_zero, 1.0, probabilities))
        return ops.where(is_zero, -math.inf, logarithm)
    return log_probabilities(_member_outputs(y_pred, dtype))


def label_distribution(y_true: Tensor, forecast: Tensor) -> Tensor:
    """Labels of any form as distributions `(batch, classes)`.

    The rank tells the forms apart. `(batch,)` and `(batch, 1)` hold class
    indices; of two classes, the probability of class 1, so that 0, 1 and soft
    labels read alike. `(batch, classes)` holds one-hot or soft labels.

    Args:
        y_true: the labels.
        forecast: `(batch, classes)`, the forecast they belong to.
    """
    y_true = ops.convert_to_tensor(y_true)
    num_classes = forecast.shape[-1]
    check_same_batch("y_true", y_true, forecast)
    y_true = ops.cast(y_true, forecast.dtype)
    if len(y_true.shape) == 2 and y_true.shape[-1] == 1:
        y_true = ops.squeeze(y_true, axis=-1)
    if len(y_true.shape) == 2 and y_true.shape[-1] in (num_classes, None):
        return nan_unless_distribution(y_true)
    if len(y_true.shape) != 1:
        raise ValueError(
            "`y_true` must be class indices (batch,) or (batch, 1), or one-hot "
            f"or soft labels (batch, {num_classes}). "
            f"Received: shape={tuple(y_true.shape)}"
        )
    if num_classes == 2:
        return nan_unless_distribution(ops.stack([1.0 - y_true, y_true], -1))
    is_class = (y_true >= 0) & (y_true < num_classes)
    is_class = is_class & (ops.floor(y_true) == y_true)
    index = ops.where(is_class, y_true, 0.0)
    labels = ops.one_hot(
        ops.cast(index, "int32"), num_classes, dtype=forecast.dtype
    )
    return ops.where(is_class[:, None], labels, math.nan)


def example_weights(sample_weight: Tensor | None, like: Tensor) -> Tensor:
    """Weights `(batch,)` in the dtype of `like`, whose first axis is batch."""
    if sample_weight is None:
        return ops.ones(ops.shape(like)[:1], dtype=like.dtype)
    weights = ops.cast(ops.convert_to_tensor(sample_weight), like.dtype)
    check_same_batch("sample_weight", weights, like)
    if len(weights.shape) == 2 and weights.shape[-1] == 1:
        weights = ops.squeeze(weights, axis=-1)
    if len(weights.shape) != 1:
        raise ValueError(
            "`sample_weight` must be one number per example, (batch,) or "
            f"(batch, 1). Received: shape={tuple(weights.shape)}"
        )
    return weights


def weigh(values: Tensor, weights: Tensor) -> Tensor:
    """`weights * values`, and 0 where the weight is 0 even for NaN values."""
    return ops.where(weights == 0, 0.0, weights * values)


def nan_unless_distribution(rows: Tensor) -> Tensor:
    """Rows `(batch, classes)`; NaN where one is not a distribution."""
    total = ops.sum(rows, axis=-1, keepdims=True)
    is_distribution = (ops.abs(total - 1.0) < SUM_TOLERANCE) & ops.all(
        rows > -SUM_TOLERANCE, axis=-1, keepdims=True
    )
    return ops.where(is_distribution, rows, math.nan)


def check_same_batch(name: str, values: Tensor, like: Tensor) -> None:
    """Raises if the known batch sizes of two tensors differ."""
    given = values.shape[0] if len(values.shape) else 1
    expected = like.shape[0]
    if None not in (given, expected) and given != expected:
        raise ValueError(
            f"`{name}` must have one row per prediction. "
            f"Received: {given} rows for {expected} predictions."
        )


def _member_outputs(y_pred: Tensor, dtype: str) -> Tensor:
    """Predictions of any form as `(batch, ensemble, units)`."""
    outputs = ops.cast(ops.convert_to_tensor(y_pred), dtype)
    if len(outputs.shape) == 1:
        outputs = ops.expand_dims(outputs, axis=-1)
    if len(outputs.shape) == 2:
        outputs = ops.expand_dims(outputs, axis=1)
    if len(outputs.shape) != 3:
        raise ValueError(
            "`y_pred` must be (batch,), (batch, classes) or (batch, ensemble, "
            f"classes). Received: shape={tuple(outputs.shape)}"
        )
    return outputs
