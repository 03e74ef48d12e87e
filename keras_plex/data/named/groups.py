"""How the group of each example is read from the features of a batch."""

from collections.abc import Sequence

import numpy as np

from keras_plex.data.named.named_data_set import FeatureReader
from keras_plex.data.named.named_data_set import Features

NO_GROUP = "none"


def feature(key: str) -> FeatureReader:
    """The feature itself, a number or a name, as a name."""
    return FeatureReader((key,), lambda features: as_texts(features[key]))


def most_named(keys: Sequence[str], threshold: float) -> FeatureReader:
    """The feature with the largest share of annotators, if that is enough.

    Example:

    >>> read = most_named(("male", "female"), 0.5)
    >>> shares = {"male": np.array([0.6, 0.1]), "female": np.array([0.9, 0.2])}
    >>> read(shares).tolist()
    ['female', 'none']
    """

    def read(features: Features) -> np.ndarray:
        # (examples, groups)
        shares = np.stack([features[key] for key in keys], axis=-1)
        named = np.array(keys)[shares.argmax(-1)]
        return np.where(shares.max(-1) >= threshold, named, NO_GROUP)

    return FeatureReader(tuple(keys), read)


def first_word_of_file(key: str) -> FeatureReader:
    """`"sketch"` of `"n01443537/sketch_12.jpg"`.

    Example:

    >>> read = first_word_of_file("file_name")
    >>> read({"file_name": [b"n01443537/sketch_12.jpg"]}).tolist()
    ['sketch']
    """

    def read(features: Features) -> np.ndarray:
        names = as_texts(features[key])
        return np.array(
            [one.rpartition("/")[2].rpartition("_")[0] for one in names]
        )

    return FeatureReader((key,), read)


def as_texts(values: Sequence) -> np.ndarray:
    """Names or numbers as an array of strings.

    Example:

    >>> as_texts([b"a", "b", 3]).tolist()
    ['a', 'b', '3']
    """
    return np.array(
        [x.decode() if isinstance(x, bytes) else str(x) for x in values], str
    )
