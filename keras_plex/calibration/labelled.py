"""Outputs and their labels, checked, as float64 arrays."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from keras_plex.ops.probabilities import NUMBERS

# A bfloat16 softmax sums to one within 0.4 %.
SUM_TOLERANCE = 1e-2


class LabelledOutputs(NamedTuple):
    """What a post-hoc method is fitted to.

    Args:
        outputs: `(examples, ensemble, units)`.
        targets: `(examples, classes)`, each row a distribution. One unit is
            class 1 of two.
        weights: `(examples,)`, positive; they sum to one.
    """

    outputs: np.ndarray
    targets: np.ndarray
    weights: np.ndarray


def labelled_outputs(
    outputs: ArrayLike,
    labels: ArrayLike,
    sample_weight: ArrayLike | None,
    output_kind: str,
) -> LabelledOutputs:
    """Checks and converts; examples of weight 0 are left out.

    Args:
        outputs: `(examples, units)` or `(examples, ensemble, units)`.
        labels: class indices, `(examples,)` or `(examples, 1)`; or one-hot or
            soft labels, `(examples, classes)`. Of two classes, a fraction is
            the probability of class 1.
        sample_weight: `(examples,)`, or `None`.
        output_kind: what the outputs are.
    """
    check_kind(output_kind)
    rows = np.asarray(outputs).astype("float64")
    if rows.ndim == 2:
        rows = rows[:, None]
    if rows.ndim != 3 or not rows.size:
        raise ValueError(
            "There must be one forecast per example: outputs of shape "
            "(examples, classes) or (examples, ensemble, classes), and at "
            f"least one. Received: shape={np.shape(outputs)}"
        )
    weights = _weights(sample_weight, len(rows))
    targets = class_targets(
        np.asarray(labels), len(rows), max(rows.shape[-1], 2)
    )
    kept = weights > 0
    rows, targets, weights = rows[kept], targets[kept], weights[kept]
    _check_outputs(rows, output_kind)
    return LabelledOutputs(rows, targets, weights / weights.sum())


def check_kind(output_kind: str) -> None:
    """Raises unless the outputs are classes."""
    known = ("softmax_logits", "sigmoid_logits", "probabilities")
    if output_kind in NUMBERS:
        raise ValueError(
            "Calibration is for classifiers, and the outputs are a "
            "regression. If they are logits, say so: `model.output_kind = "
            f'"softmax_logits"`. Received: output_kind={output_kind!r}'
        )
    if output_kind not in known:
        raise ValueError(
            f"`output_kind` must be one of {', '.join(map(repr, known))}. "
            f"Received: output_kind={output_kind!r}"
        )


def check_every_class(targets: np.ndarray, method: str) -> None:
    """Raises if some class has no example."""
    missing = np.flatnonzero(targets.sum(axis=0) == 0)
    if missing.size:
        raise ValueError(
            f"{method} needs examples of every class; without one it would "
            f"rule the class out. Received: none of {missing.size} of "
            f"{targets.shape[1]} classes, such as class {missing[0]}. Use more "
            'data, or `method="temperature"`.'
        )


def check_count(count: int, num_parameters: int, method: str) -> None:
    """Raises if there are fewer examples than numbers to fit, or one."""
    least = max(num_parameters, 2)
    if count < least:
        raise ValueError(
            f"{method} fits {num_parameters} numbers here and needs at least "
            f"{least} examples. Received: {count}"
        )


def _check_outputs(rows: np.ndarray, output_kind: str) -> None:
    is_finite = np.isfinite(rows).all(axis=(1, 2))
    if not is_finite.all():
        raise ValueError(
            "All outputs must be finite. Received: NaN or infinite numbers "
            f"for {np.sum(~is_finite)} of {len(rows)} examples."
        )
    units = rows.shape[-1]
    if output_kind == "softmax_logits" and units == 1:
        raise ValueError(
            "A softmax over one unit is always 1. If the unit is a logit of "
            'class 1 of two, `output_kind` is "sigmoid_logits".'
        )
    totals = rows.sum(axis=-1)
    is_off = units > 1 and np.any(np.abs(totals - 1.0) > SUM_TOLERANCE)
    if output_kind == "sigmoid_logits" and units > 1:
        raise ValueError(
            "Calibration is that of one label per example. Received: "
            f"{units} independent labels (sigmoid logits)."
        )
    if output_kind != "probabilities":
        return
    if is_off or rows.min() < 0 or rows.max() > 1 + SUM_TOLERANCE:
        raise ValueError(
            "Probabilities must lie in [0, 1] and sum to one over the "
            f"classes. Received: values from {rows.min():.4g} to "
            f"{rows.max():.4g}, sums from {totals.min():.4g} to "
            f"{totals.max():.4g}. Logits need another `output_kind`; several "
            "independent labels per example have no one forecast."
        )


def _weights(sample_weight: ArrayLike | None, count: int) -> np.ndarray:
    if sample_weight is None:
        return np.ones(count)
    weights = np.asarray(sample_weight).astype("float64")
    if weights.shape not in ((count,), (count, 1)):
        raise ValueError(
            "`sample_weight` must be one number per example. "
            f"Received: shape={weights.shape} for {count} examples"
        )
    weights = weights.reshape(-1)
    if not np.isfinite(weights).all() or weights.min() < 0 or not weights.any():
        raise ValueError(
            "`sample_weight` must be finite, not negative and not all zero."
        )
    return weights


def class_targets(
    labels: np.ndarray, count: int, num_classes: int
) -> np.ndarray:
    """Labels of any form as distributions `(examples, classes)` in float64.

    Args:
        labels: class indices, `(count,)` or `(count, 1)`; or one-hot or soft
            labels, `(count, num_classes)`. Of two classes, a fraction is the
            probability of class 1.
        count: of the examples.
        num_classes: at least two.

    Raises:
        ValueError: for another shape, an index of no class, and rows that are
            no distributions.
    """
    shape = labels.shape
    if shape not in ((count,), (count, 1), (count, num_classes)):
        raise ValueError(
            "There must be one label per example: class indices "
            f"({count},), or one-hot or soft labels ({count}, {num_classes}). "
            f"Received: shape={shape}"
        )
    labels = labels.astype("float64")
    if shape == (count, num_classes):
        total = labels.sum(axis=-1)
        if not np.allclose(total, 1.0, rtol=0, atol=SUM_TOLERANCE) or (
            labels.min() < 0
        ):
            raise ValueError(
                "One-hot or soft labels must not be negative and must sum to "
                "one over the classes. Received: sums from "
                f"{total.min():.4g} to {total.max():.4g}"
            )
        return labels
    labels = labels.reshape(-1)
    is_label = (labels >= 0) & (labels <= num_classes - 1)
    is_label &= (num_classes == 2) | (labels % 1 == 0)
    if not is_label.all():
        raise ValueError(
            f"Labels must be class indices 0 to {num_classes - 1}. "
            f"Received: {labels[~is_label][0]}"
        )
    if num_classes == 2:
        return np.stack([1.0 - labels, labels], axis=-1)
    return np.eye(num_classes)[labels.astype("int64")]
