"""All calibration metrics from one pass, in memory that does not grow."""

from collections.abc import Iterable
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from keras_plex.metrics.array_checks import check_arrays
from keras_plex.metrics.bin_lookup import BinLookup
from keras_plex.metrics.calibration_error import as_distributions
from keras_plex.metrics.confidence_bins import check_num_bins
from keras_plex.metrics.fine_bins import fine_edges

# Probabilities at a time: what a processor keeps close.
CHUNK = 2**18

Batch = tuple[np.ndarray, np.ndarray, np.ndarray | None]


def calibration_errors(
    y_true: ArrayLike | Iterable[tuple[ArrayLike, ...]],
    probabilities: ArrayLike | None = None,
    *,
    num_bins: int = 15,
    sample_weight: ArrayLike | None = None,
) -> dict[str, float]:
    """All calibration metrics at once: for large data, or batches of it.

    The values are those of `NegativeLogLikelihood` (`nll`), `BrierScore`
    (`brier`), `ExpectedCalibrationError` (`ece`), `MaximumCalibrationError`
    (`mce`), `ClasswiseCalibrationError` (`classwise`) and
    `AdaptiveCalibrationError` (`adaptive`), summed in float64.

    Args:
        y_true: labels as for `calibration_error`; or, without
            `probabilities`, an iterable of batches `(labels, probabilities)`
            or `(labels, probabilities, sample_weight)`, read once.
        probabilities: as for `calibration_error`.
        num_bins: number of bins. Defaults to 15.
        sample_weight: `(examples,)`, not negative.

    Example:

    >>> errors = calibration_errors([1, 0], [[0.2, 0.8], [0.3, 0.7]])
    >>> {name: round(value, 3) for name, value in errors.items()}
    {'nll': 0.714, 'brier': 0.53, 'ece': 0.45, 'mce': 0.7, ...}
    """
    check_num_bins(num_bins)
    sums = None
    for labels, values, weights in _batches(
        y_true, probabilities, sample_weight
    ):
        check_arrays(labels, values, weights)
        for start in range(0, len(values), _rows_at_once(values)):
            rows = slice(start, start + _rows_at_once(values))
            forecast, one_hot = as_distributions(labels[rows], values[rows])
            if sums is None:
                sums = _Sums(forecast.shape[1], num_bins, forecast.dtype)
            chunk = None if weights is None else weights[rows].reshape(-1)
            sums.add(one_hot, forecast, chunk)
    if sums is None:
        raise ValueError(
            "There is no batch with an example: nothing to average."
        )
    return sums.errors()


def _batches(
    y_true: ArrayLike | Iterable[tuple[ArrayLike, ...]],
    probabilities: ArrayLike | None,
    sample_weight: ArrayLike | None,
) -> Iterator[Batch]:
    if probabilities is None and sample_weight is not None:
        raise ValueError(
            "`sample_weight` goes with arrays. Give weights of batches as "
            "their third part: `(labels, probabilities, sample_weight)`."
        )
    batches: Any = y_true
    if probabilities is not None:
        batches = [(y_true, probabilities, sample_weight)]
    for batch in batches:
        if not isinstance(batch, tuple | list) or len(batch) not in (2, 3):
            raise ValueError(
                "Without `probabilities`, the first argument must be batches "
                "`(labels, probabilities)` or `(labels, probabilities, "
                f"sample_weight)`. Received: {type(batch).__name__}"
            )
        labels, values, weights = (*batch, None)[:3]
        weights = None if weights is None else np.asarray(weights)
        values = np.asarray(values)
        is_padding = weights is not None and not weights.any()
        # Of an array the caller should hear of it.
        if probabilities is None and (is_padding or not len(values)):
            continue
        yield np.asarray(labels), values, weights


def _rows_at_once(values: np.ndarray) -> int:
    return max(1, CHUNK // int(np.prod(values.shape[1:])))


class _Sums:
    """What all examples add up to."""

    def __init__(self, num_classes: int, num_bins: int, dtype: np.dtype):
        self.num_classes, self.num_bins = num_classes, num_bins
        self.weight = self.nll = self.brier = 0.0
        self.even_edges = np.arange(1, num_bins) / num_bins
        self.find_even = BinLookup(self.even_edges, dtype)
        # Cells have the edges of the fine bins and of those of equal width.
        edges = np.concatenate([fine_edges(), self.even_edges])
        self.find_cell = BinLookup(edges, dtype)
        self.num_cells = len(self.find_cell.edges) + 1
        # Weight, probability and label: of the top label by bin, of all
        # classes by cell.
        self.top = np.zeros((3, num_bins))
        self.cells = np.zeros((3, num_classes, self.num_cells))

    def add(
        self,
        labels: np.ndarray,
        forecast: np.ndarray,
        weights: np.ndarray | None,
    ) -> None:
        """Adds examples, checked and `(size, classes)`."""
        if forecast.shape[1] != self.num_classes:
            raise ValueError(
                "All batches must have as many classes as the first. Received: "
                f"{forecast.shape[1]} after {self.num_classes}"
            )
        forecast = forecast.astype(self.find_cell.dtype, copy=False)
        if weights is None:
            weights = np.ones(len(forecast))
        self.weight += weights.sum()
        self._add_scores(labels, forecast, weights)
        predicted = forecast.argmax(axis=1)[:, None]
        confidence = np.take_along_axis(forecast, predicted, 1)[:, 0]
        accuracy = np.take_along_axis(labels, predicted, 1)[:, 0]
        index = self.find_even(confidence)
        _add_binned(self.top, index, weights, confidence, accuracy)
        index = self.find_cell(forecast)
        index += np.arange(self.num_classes) * self.num_cells
        _add_binned(self.cells, index, weights[:, None], forecast, labels)

    def _add_scores(
        self, labels: np.ndarray, forecast: np.ndarray, weights: np.ndarray
    ) -> None:
        rows, classes = np.nonzero(labels)  # 0 ln 0 is 0
        with np.errstate(divide="ignore"):
            logarithm = np.log(forecast[rows, classes])
        terms = -labels[rows, classes].astype("float64") * logarithm
        nll = np.bincount(rows, terms, len(labels))
        distance = forecast - labels
        brier = np.einsum("nk,nk->n", distance, distance)
        counts = weights > 0  # a weight of 0 removes an infinite value
        self.nll += np.sum(weights[counts] * nll[counts])
        self.brier += np.sum(weights * brier)

    def errors(self) -> dict[str, float]:
        """The metrics of all examples so far."""
        weight, confidence, accuracy = self.top
        gaps = np.abs(accuracy - confidence)
        is_used = weight > 0
        lower = np.concatenate([[0.0], self.find_cell.edges])
        even = np.searchsorted(self.find_even.edges, lower, side="right")
        starts = np.flatnonzero(np.diff(even, prepend=-1))
        by_class = np.add.reduceat(self.cells, starts, axis=2)
        static = np.abs(by_class[2] - by_class[1]).sum(axis=1)
        return {
            "nll": float(self.nll / self.weight),
            "brier": float(self.brier / self.weight),
            "ece": float(gaps.sum() / self.weight),
            "mce": float((gaps[is_used] / weight[is_used]).max()),
            "classwise": float(static.mean() / self.weight),
            "adaptive": self._adaptive_error(),
        }

    def _adaptive_error(self) -> float:
        ends = np.arange(self.num_bins + 1) / self.num_bins
        errors = []
        for weight, probability, label in self.cells.swapaxes(0, 1):
            up_to = np.cumsum(np.concatenate([[0.0], weight])) / self.weight
            gaps = np.cumsum(np.concatenate([[0.0], label - probability]))
            steps = np.diff(np.interp(ends, up_to, gaps))
            errors.append(np.abs(steps).sum() / self.weight)
        return float(np.mean(errors))


def _add_binned(
    sums: np.ndarray,
    index: np.ndarray,
    weights: np.ndarray,
    probabilities: np.ndarray,
    labels: np.ndarray,
) -> None:
    """Adds to each bin of `sums`, `(3, ...)`, what lies in it."""
    size = sums[0].size
    columns = (np.ones_like(probabilities), probabilities, labels)
    for row, column in zip(sums, columns, strict=True):
        values = (weights * column).reshape(-1)
        row += np.bincount(index.reshape(-1), values, size).reshape(row.shape)
