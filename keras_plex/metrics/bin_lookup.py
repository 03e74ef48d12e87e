"""Finds the bins of many values at once, by a table instead of a search."""

import numpy as np

# Bits of the mantissa that choose a row of the table.
BITS = 11


class BinLookup:
    """`np.searchsorted(edges, values, side="right")` for values in [0, 2).

    The first bits of a float, as an integer, grow with it. The table says for
    each of them in which bin such values lie; where an edge runs between
    values of the same first bits, and only there, it is searched for.

    Args:
        edges: ascending.
        dtype: of the values and edges, float32 or float64.

    Example:

    >>> find_bin = BinLookup(np.array([0.25, 0.5]), "float32")
    >>> find_bin(np.float32([0.0, 0.25, 0.3, 1.0])).tolist()
    [0, 1, 1, 2]
    """

    def __init__(self, edges: np.ndarray, dtype: str | np.dtype):
        self.dtype = np.dtype(dtype)
        self.edges = np.unique(np.asarray(edges, self.dtype))
        self.integer = np.dtype(f"uint{8 * self.dtype.itemsize}")
        self.shift = self.integer.type(np.finfo(self.dtype).nmant - BITS)
        end = np.array(2.0, self.dtype).view(self.integer) >> self.shift
        first = np.arange(end, dtype=self.integer) << self.shift
        last = first | ((self.integer.type(1) << self.shift) - 1)
        low, high = (self._search(x.view(self.dtype)) for x in (first, last))
        self.table = np.where(low == high, low, -1)

    def __call__(self, values: np.ndarray) -> np.ndarray:
        # The absolute value has no sign, of which -0.0 has one.
        bits = np.abs(values).view(self.integer)
        index = self.table[bits >> self.shift]
        is_open = index < 0
        index[is_open] = self._search(values[is_open])
        return index

    def _search(self, values: np.ndarray) -> np.ndarray:
        return np.searchsorted(self.edges, values, side="right")
