"""Labels as class indices, whatever form they come in."""

import numpy as np

from keras_plex.checks import check_numbers


def class_indices(labels, examples: int) -> np.ndarray:
    """Class indices `(batch,)` of sparse, `(batch, 1)`, one-hot or soft labels.

    Args:
        labels: `(batch,)`, `(batch, 1)` or `(batch, classes)`, of which the
            largest entry counts.
        examples: the number of examples they belong to.
    """
    if labels is None:
        raise ValueError(
            "This score is fitted to labelled data: pass `(x, y)`, or batches "
            "of it. Received: labels=None"
        )
    labels = np.asarray(labels)
    if labels.ndim not in (1, 2) or len(labels) != examples:
        raise ValueError(
            "`labels` must be (batch,), (batch, 1) or (batch, classes) for "
            f"{examples} examples. Received: shape={labels.shape}"
        )
    check_numbers(labels, "labels")
    if not np.isfinite(labels.astype("float64")).all():
        raise ValueError("`labels` must be finite. Received: NaN or infinity")
    if labels.ndim == 2 and labels.shape[1] > 1:
        if (labels.max(axis=1) <= 0).any():
            raise ValueError(
                "A one-hot label needs one positive entry. Received: a row "
                "that names no class"
            )
        return labels.argmax(axis=1)
    labels = labels.reshape(-1)
    if (labels < 0).any() or (labels != np.floor(labels)).any():
        raise ValueError(
            "Sparse labels must be class indices 0, 1, 2, ... "
            f"Received: labels={np.unique(labels)[:5].tolist()}"
        )
    return labels.astype("int64")
