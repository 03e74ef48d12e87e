"""Names for what signatures take, where the backends leave no common type."""

from collections.abc import Mapping
from typing import Any

# A tensor of the active backend, a NumPy array, or a symbolic tensor.
Tensor = Any

# Arrays `(x, y)` or `(x, y, sample_weight)`, a `tf.data.Dataset`, a
# `keras.utils.PyDataset`, a PyTorch `DataLoader`, or any iterable of batches.
Data = Any

Config = dict[str, Any]
Logs = Mapping[str, float]
