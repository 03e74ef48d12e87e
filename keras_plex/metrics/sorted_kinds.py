"""Two kinds of examples, each sorted by score: what exact rankings read."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from keras_plex.metrics.array_checks import check_weights


class SortedScores(NamedTuple):
    """The scores of one kind, ascending.

    Args:
        scores: `(examples,)`.
        weights: of each, or `None` if all are 1.
        sums: `(examples + 1,)`, the weight of the lowest 0, 1, 2, ... scores;
            `None` if all are 1.
    """

    scores: np.ndarray
    weights: np.ndarray | None
    sums: np.ndarray | None

    @property
    def total(self) -> float:
        """The weight of all."""
        return len(self.scores) if self.sums is None else self.sums[-1]

    def below(self, scores: np.ndarray) -> np.ndarray:
        """The weight of those below each of the given scores."""
        return self._lowest(np.searchsorted(self.scores, scores, side="left"))

    def up_to(self, scores: np.ndarray) -> np.ndarray:
        """The weight of those at or below each of the given scores."""
        return self._lowest(np.searchsorted(self.scores, scores, side="right"))

    def mean(self, values: np.ndarray) -> float:
        """The weighted mean of one value for each score."""
        if self.weights is None:
            return float(values.mean())
        return float(values @ self.weights / self.weights.sum())

    def _lowest(self, count: np.ndarray) -> np.ndarray:
        return count if self.sums is None else self.sums[count]


class SortedKinds(NamedTuple):
    """The scores of negative and of positive examples."""

    negative: SortedScores
    positive: SortedScores


def sort_scores(scores: np.ndarray, weights: np.ndarray | None) -> SortedScores:
    """One kind, sorted."""
    if weights is None:
        return SortedScores(np.sort(scores), None, None)
    order = np.argsort(scores)
    weights = weights[order].astype("float64")
    sums = np.concatenate([[0.0], np.cumsum(weights)])
    return SortedScores(scores[order], weights, sums)


def sort_kinds(
    scores: ArrayLike, is_ood: ArrayLike, sample_weight: ArrayLike | None
) -> SortedKinds:
    """Both kinds, sorted, or a `ValueError` that says what is wrong."""
    scores, is_ood = np.asarray(scores), np.asarray(is_ood)
    if scores.ndim != 1 or scores.shape != is_ood.shape:
        raise ValueError(
            "`scores` and `is_ood` must be vectors of one length. "
            f"Received: shapes {scores.shape} and {is_ood.shape}"
        )
    if not scores.size:
        raise ValueError("`scores` is empty: there is nothing to rank.")
    weights = None
    if sample_weight is not None:
        weights = np.asarray(sample_weight)
        check_weights(weights, len(scores))
        weights = weights.ravel()
        counts = weights > 0
        scores, is_ood, weights = (
            scores[counts],
            is_ood[counts],
            weights[counts],
        )
    num_nan = int(np.isnan(scores).sum())
    if num_nan:
        raise ValueError(
            f"`scores` must not hold NaN. Received: {num_nan} of {scores.size}"
        )
    _check_kinds(is_ood)
    negative, positive = [
        sort_scores(scores[rows], None if weights is None else weights[rows])
        for rows in (is_ood == 0, is_ood == 1)
    ]
    return SortedKinds(negative, positive)


def _check_kinds(is_ood: np.ndarray) -> None:
    num_known = np.count_nonzero(is_ood == 0)
    num_ood = np.count_nonzero(is_ood == 1)
    if num_known + num_ood < len(is_ood):
        raise ValueError(
            "`is_ood` must hold 1 for OOD and 0 for in-distribution. "
            f"Received: values {np.unique(is_ood).tolist()[:5]}"
        )
    if not num_known or not num_ood:
        missing = "OOD (1)" if num_known else "in-distribution (0)"
        raise ValueError(
            "A ranking needs examples of both kinds. "
            f"`is_ood` holds no {missing} example."
        )
