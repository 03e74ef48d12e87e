"""How labels are read from the features of a batch."""

from collections.abc import Sequence

import numpy as np

from keras_plex.data.named.named_data_set import FeatureReader
from keras_plex.data.named.named_data_set import Features


def class_index(key: str) -> FeatureReader:
    """The class as it stands in the feature."""
    return FeatureReader(
        (key,), lambda features: np.asarray(features[key]).astype("int64")
    )


def merged_classes(key: str, new_classes: Sequence[int]) -> FeatureReader:
    """Class `i` becomes `new_classes[i]`.

    Example:

    >>> entailment_or_not = merged_classes("label", (1, 0, 0))
    >>> entailment_or_not({"label": np.array([0, 1, 2])}).tolist()
    [1, 0, 0]
    """
    table = np.array(new_classes, "int64")
    return FeatureReader(
        (key,), lambda features: table[np.asarray(features[key])]
    )


def at_least(key: str, threshold: float) -> FeatureReader:
    """Class 1 from a share of annotators on, else 0.

    Example:

    >>> at_least("toxicity", 0.5)({"toxicity": np.array([0.4, 0.5])}).tolist()
    [0, 1]
    """

    def read(features: Features) -> np.ndarray:
        return (np.asarray(features[key]) >= threshold).astype("int64")

    return FeatureReader((key,), read)


def soft_label(key: str) -> FeatureReader:
    """The share of annotators for each class.

    Example:

    >>> soft_label("votes")({"votes": np.array([[3, 1], [0, 2]])}).tolist()
    [[0.75, 0.25], [0.0, 1.0]]
    """

    def read(features: Features) -> np.ndarray:
        votes = np.asarray(features[key], "float64")
        return (votes / votes.sum(-1, keepdims=True)).astype("float32")

    return FeatureReader((key,), read)


def several_classes(key: str, num_classes: int) -> FeatureReader:
    """Each of an example's classes with the same share; NaN if it has none.

    Example:

    >>> read = several_classes("classes", 3)
    >>> read({"classes": [[2], [0, 2], []]}).tolist()
    [[0.0, 0.0, 1.0], [0.5, 0.0, 0.5], [nan, nan, nan]]
    """

    def read(features: Features) -> np.ndarray:
        shares = np.zeros((len(features[key]), num_classes), "float32")
        for row, classes in zip(shares, features[key], strict=True):
            classes = sorted(set(classes))
            if classes:
                row[classes] = 1 / len(classes)
            else:
                row[:] = np.nan
        return shares

    return FeatureReader((key,), read)
