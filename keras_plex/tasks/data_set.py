"""What a task asks of a data set, and the batches that it is read in."""

import dataclasses
import numbers
from collections.abc import Hashable
from collections.abc import Iterator
from typing import Any

import numpy as np
from keras import tree

from keras_plex.batches import as_array
from keras_plex.batches import count_examples
from keras_plex.batches import is_arrays
from keras_plex.batches import iterate_batches
from keras_plex.batches import lists_as_arrays
from keras_plex.data.corruptions.corrupt_images import IMAGE_CORRUPTIONS
from keras_plex.data.corruptions.corrupt_images import corrupt_images
from keras_plex.data.corruptions.corrupt_texts import corrupt_texts
from keras_plex.types import Data

# What groups may be, all of one kind.
GROUPS = (str, bytes, numbers.Real)


@dataclasses.dataclass(frozen=True)
class Corruption:
    """One corruption of images or texts in one severity.

    Args:
        name: a key of `IMAGE_CORRUPTIONS` or `TEXT_CORRUPTIONS`.
        severity: from 1 to 5.
        value_range: black and white of float images; see `corrupt_images`.
    """

    name: str
    severity: int
    value_range: tuple[float, float] | None = None

    def __call__(self, x: Any, offset: int) -> Any:
        """The corrupted inputs, whose first is example number `offset`."""
        if tree.is_nested(x) and not _is_list_of_texts(x):
            raise ValueError(
                "Only data sets whose inputs are one array of images or texts "
                "can be corrupted for you. Corrupt your inputs yourself, and "
                f"pass them as `shifted`. Received: x={type(x).__name__}"
            )
        array = as_array(x)
        if self.name in IMAGE_CORRUPTIONS:
            return corrupt_images(
                array,
                self.name,
                self.severity,
                offset=offset,
                value_range=self.value_range,
            )
        corrupted = corrupt_texts(
            self._texts(array), self.name, self.severity, offset=offset
        )
        return np.array(corrupted, dtype=str).reshape(array.shape)

    def _texts(self, array: np.ndarray) -> list[str]:
        """The texts of `(batch,)` or `(batch, 1)`."""
        found = array.reshape(-1).tolist()
        if not all(isinstance(one, (str, bytes)) for one in found):
            raise ValueError(
                f"The corruption {self.name!r} is one of texts. "
                f"Received: inputs of shape={array.shape}, dtype={array.dtype}"
            )
        return [
            one.decode("utf-8") if isinstance(one, bytes) else one
            for one in found
        ]


@dataclasses.dataclass(frozen=True, eq=False)
class DataSet:
    """Data, and what a task reads from them.

    Args:
        data: arrays `(x, y)`, or batches of them; see `iterate_batches`.
        needs_labels: whether labels are read.
        needs_soft_labels: whether these must be distributions.
        needs_groups: whether the third part of each batch is the group, or
            `groups` is given.
        groups: `(examples,)`, of arrays.
        corruption: what befalls the inputs.
        drawn_with: see `Examples`.
    """

    data: Data
    needs_labels: bool = True
    needs_soft_labels: bool = False
    needs_groups: bool = False
    groups: np.ndarray | None = None
    corruption: Corruption | None = None
    drawn_with: str | None = None

    def __post_init__(self):
        is_empty = isinstance(self.data, tuple) and not self.data
        if self.data is None or is_empty:
            raise ValueError(
                "The data of a task must be arrays, as `(x, y)`, or batches of "
                f"them. Received: {self.data!r}"
            )

    @property
    def key(self) -> Hashable:
        """Equal for two that a model need see only once.

        Arrays are told apart by identity, and so are other data: two tuples of
        the same arrays are one data set.
        """
        parts = (self.data,)
        if is_arrays(self.data):
            parts = tree.flatten(self.data)
        return (*map(id, parts), self.corruption)

    def batches(self, batch_size: int) -> Iterator[tuple]:
        """Yields `(x, y, third)`, the third what follows the labels, if any.

        Batches without an example are passed over.
        """
        offset = 0
        for x, y, third in iterate_batches(self.data, batch_size):
            if not count_examples(x):
                continue
            if self.corruption is not None:
                x = self.corruption(x, offset)
            yield x, y, third
            offset += count_examples(x)
        if not offset:
            raise ValueError(
                "The data set holds no example: all batches are empty. Check "
                f"the filter that made them. Received: {self.data!r}"
            )

    def num_examples(self) -> int | None:
        """Their number, where it is known without reading them."""
        if not is_arrays(self.data):
            return None
        return len(tree.flatten(lists_as_arrays(self.data))[0])


def grouped_arrays(data: Data) -> DataSet:
    """The data set of `(x, y, groups)`, or of batches of them."""
    if not is_arrays(data):
        return DataSet(data, needs_groups=True)
    if not isinstance(data, tuple) or len(data) != 3:
        received = (
            f"{len(data)} parts" if isinstance(data, tuple) else "x alone"
        )
        raise ValueError(
            "Data with groups must be `(x, y, groups)`: for each example its "
            "group, a number or a name, after the label. "
            f"Received: {received}"
        )
    x, y, groups = data
    if y is None:
        raise ValueError(
            "Data with groups need labels: pass `(x, y, groups)`. "
            "Received: y=None"
        )
    groups = as_array(groups)
    check_groups(groups, len(y))
    return DataSet((x, y), needs_groups=True, groups=plain_groups(groups))


def check_groups(groups: np.ndarray, count: int) -> None:
    """Raises unless each of so many examples has a group of its own kind."""
    if groups.shape not in ((count,), (count, 1)):
        raise ValueError(
            "`groups` must be one number or name per example. "
            f"Received: shape={groups.shape} for {count} labels"
        )
    found = groups.reshape(-1).tolist() if groups.dtype.kind in "fO" else []
    of_kinds = [all(isinstance(x, kind) for x in found) for kind in GROUPS]
    if not any(of_kinds):
        raise ValueError(
            "`groups` must be all numbers or all names, and none may be "
            f"missing. Received: {sorted({type(x).__name__ for x in found})}"
        )
    missing = sum(x != x for x in found)
    if missing:
        raise ValueError(
            "`groups` must be a number or name for each example. "
            f"Received: {missing} that are NaN"
        )


def plain_groups(groups: np.ndarray) -> np.ndarray:
    """`(examples,)` numbers or texts, which a file can hold.

    Numbers among which an array would make equal ones of different ones become
    texts.
    """
    groups = groups.reshape(-1)
    if groups.dtype.kind != "O":
        return groups
    found = groups.tolist()
    plain = np.array(found)
    if plain.dtype.kind == "O" or plain.tolist() != found:
        plain = np.array([str(one) for one in found])
    return plain


def _is_list_of_texts(x: Any) -> bool:
    return isinstance(x, (list, tuple)) and all(
        isinstance(one, (str, bytes)) for one in x
    )
