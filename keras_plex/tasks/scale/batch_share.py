"""Every so many-th batch of a data set, as it is in the whole."""

from collections.abc import Iterator

import numpy as np

from keras_plex.batches import count_examples
from keras_plex.batches import iterate_batches
from keras_plex.tasks.data_set import DataSet


class BatchShare:
    """Batches `shard`, `shard + num_shards`, ... of a data set.

    Whole batches: some digits of an output depend on what else is in its
    batch. They are corrupted as in the whole data set.

    Args:
        data_set: the whole one.
        batch_size: for arrays.
        shard: from 0.
        num_shards: how many shares there are.
        max_examples: of the whole data set, the first ones.

    Attributes:
        indices: of the examples that the last reading gave, in the whole.
        num_examples: that the last reading met, those of other shares too.

    Example:

    >>> share = BatchShare(DataSet(np.arange(7)), 2, shard=1, num_shards=2)
    >>> [x.tolist() for x, _, _ in share], share.indices
    ([[2, 3], [6]], [2, 3, 6])
    """

    def __init__(
        self,
        data_set: DataSet,
        batch_size: int,
        *,
        shard: int,
        num_shards: int,
        max_examples: int | None = None,
    ):
        self.data_set = data_set
        self.batch_size = batch_size
        self.shard = shard
        self.num_shards = num_shards
        self.max_examples = max_examples
        self.indices: list[int] = []
        self.num_examples = 0

    def __iter__(self) -> Iterator[tuple]:
        self.indices, self.num_examples = [], 0
        corruption = self.data_set.corruption
        batches = iterate_batches(self.data_set.data, self.batch_size)
        for number, (x, y, third) in enumerate(batches):
            offset = self.num_examples
            if self.max_examples is not None and offset >= self.max_examples:
                return
            self.num_examples += count_examples(x)
            if number % self.num_shards == self.shard:
                self.indices += range(offset, self.num_examples)
                if corruption is not None:
                    x = corruption(x, offset)
                yield x, y, third

    def is_empty(self) -> bool:
        """Whether there are fewer batches than shares before this one."""
        return next(iter(self), None) is None

    def rows(self) -> np.ndarray:
        """Where the examples of the last reading are in the whole."""
        return np.array(self.indices, dtype="int64")
