"""The state of every streaming ranking: two histograms over one scale."""

import math

import numpy as np
from keras import ops

from keras_plex.checks import is_positive_integer
from keras_plex.metrics.base import StreamingMetric
from keras_plex.metrics.forecasts import weigh
from keras_plex.types import Config
from keras_plex.types import Tensor

# A magnitude m lies at u / (OCTAVES + |u|) with u = log2 m: half of the bins
# lie between 2^-OCTAVES and 2^OCTAVES, the rest reach 0 and infinity.
OCTAVES = 4.0


class ScoreHistogram(StreamingMetric):
    """A ranking of examples of two kinds by a score, in bounded memory.

    The state is a histogram of the scores of each kind. The bins are narrow
    relative to the score (with the default `num_bins`: 0.02 % of it near 1,
    0.2 % at 1e-3 and 1e3, 1 % at 1e-7) and 0 has its own, so that saturated
    scores stay apart. The order of two scores is never reversed; those that
    share a bin are tied. `error_bound()` is how far that can move the result.

    A subclass calls `add` in `update_state`, and computes `value` and `bound`
    of the two histograms.

    Args:
        num_bins: number of bins, even; half are for negative scores.
        name: of the metric.
        dtype: of the sums, float32 or wider.
    """

    def __init__(
        self,
        num_bins: int = 65536,
        *,
        name: str | None = None,
        dtype: str | None = None,
    ):
        if not is_positive_integer(num_bins) or num_bins % 2:
            raise ValueError(
                "`num_bins` must be an even positive integer. "
                f"Received: num_bins={num_bins!r}"
            )
        # (negative or positive, bin)
        super().__init__((2, num_bins), name=name, dtype=dtype)
        self.num_bins = num_bins

    def add(self, scores: Tensor, positive: Tensor, weights: Tensor) -> None:
        """Adds a batch.

        Args:
            scores: `(batch,)`; a NaN makes the result NaN.
            positive: `(batch,)`, the share of each example that is positive:
                0, 1, or between for a soft label; others make it NaN.
            weights: `(batch,)`.
        """
        is_valid = (positive >= 0) & (positive <= 1) & ~ops.isnan(scores)
        weights = nan_unless(is_valid, weights)
        share = ops.where(is_valid, positive, 0.0)
        num_bins = self.sums.shape[1]
        index = score_bin(ops.where(is_valid, scores, 0.0), num_bins)
        histograms = ops.segment_sum(
            ops.concatenate([weights * (1.0 - share), weights * share]),
            ops.concatenate([index, index + num_bins]),
            num_segments=2 * num_bins,
        )
        self.accumulate(ops.reshape(histograms, (2, num_bins)))

    def value(self, negative: Tensor, positive: Tensor) -> Tensor:
        """The metric, of two histograms `(num_bins,)`."""
        raise NotImplementedError

    def bound(self, negative: Tensor, positive: Tensor) -> Tensor:
        """How far the exact metric can be from `value`."""
        raise NotImplementedError

    def result(self) -> Tensor:
        totals = self.totals()
        return _nan_if_any_is(totals, self.value(*ops.unstack(totals)))

    def error_bound(self) -> Tensor:
        """How far the result may lie from the exact value, at most.

        It allows for every order of the scores that share a bin. Equal scores
        are among them, though they cause no error. Rounding comes on top:
        1e-6 in float32.
        """
        totals = self.totals()
        return _nan_if_any_is(totals, self.bound(*ops.unstack(totals)))

    def get_config(self) -> Config:
        return {**super().get_config(), "num_bins": self.num_bins}


def nan_unless(is_valid: Tensor, weights: Tensor) -> Tensor:
    """The weights; NaN for an example that is not valid and has a weight."""
    return weigh(ops.where(is_valid, ops.ones_like(weights), math.nan), weights)


def score_bin(values: Tensor, num_bins: int) -> Tensor:
    """Index of the bin of each score; never lower for a higher score."""
    edges = ops.convert_to_tensor(
        _magnitude_edges(num_bins // 2), dtype=values.dtype
    )
    magnitude = ops.abs(values)
    exponent = ops.log2(ops.clip(magnitude, np.finfo("float32").tiny, 2.0**127))
    position = exponent / (OCTAVES + ops.abs(exponent))  # in (-1, 1)
    index = ops.cast((position + 1.0) * (num_bins / 4), "int32")
    # The logarithm is right to a bin: the edges decide, and keep the order.
    index = index + ops.cast(magnitude >= ops.take(edges, index + 1), "int32")
    index = index - ops.cast(magnitude < ops.take(edges, index), "int32")
    return ops.where(
        values < 0, num_bins // 2 - 1 - index, num_bins // 2 + index
    )


def _magnitude_edges(bins: int) -> np.ndarray:
    """Lower edges of the bins of the magnitudes; NaN, never reached, ends."""
    position = np.linspace(-1.0, 1.0, bins + 1)[1:-1]
    exponent = OCTAVES * position / (1.0 - np.abs(position))
    # Outside the range of float32 bins stay empty.
    inner = np.exp2(np.clip(exponent, -126.0, 127.0))
    return np.concatenate([[0.0], inner, [np.nan]])


def _nan_if_any_is(totals: Tensor, value: Tensor) -> Tensor:
    return ops.where(ops.isnan(ops.sum(totals)), math.nan, value)
