"""Sets of classes that hold the label as often as promised."""

import math

import numpy as np
from keras import ops
from numpy.typing import ArrayLike

from keras_plex.calibration.calibrator import in_float32
from keras_plex.calibration.calibrator import same_kind
from keras_plex.calibration.conformal_scores import CONFORMAL_SCORES
from keras_plex.calibration.labelled import labelled_outputs
from keras_plex.checks import is_integer
from keras_plex.tables import lookup
from keras_plex.types import Config
from keras_plex.types import Tensor

# Batches of other sizes round otherwise: a class is in if it would be with
# probabilities that are larger by this share.
TOLERANCE = 1e-5
# The share of the data that chooses the numbers of "raps".
SHARE = 0.2
PENALTIES = (0.001, 0.01, 0.1, 0.2, 0.5)
CHUNK = 4096


class ConformalSets:
    """For each forecast the classes that it does not rule out.

    If examples to come are drawn as those of `fit`, the sets of a share of at
    least `1 - alpha` of them hold the label, whatever the model. That is true
    on average over all examples, not for each class or group.

    `set = {k: score_k <= quantile}`, where `quantile` is the
    `ceil((n + 1) (1 - alpha))`-th smallest of the scores of the `n` labels.

    | method | score of class k | sets |
    |---|---|---|
    | `"lac"` | `1 - p_k` | the smallest on average; may be empty |
    | `"aps"` | the probability of all classes before k | adapt to doubt |
    | `"raps"` | the same `+ penalty * max(0, place - rank)` | no long tails |

    An empty set of `"lac"` says that no class is probable enough. Sets of
    `"aps"` and `"raps"` end with the class that reaches the quantile, so that
    they always hold the most probable one; where that is right more often than
    `1 - alpha`, they hold the label more often than promised. There is no
    random draw: equal forecasts have equal sets.

    Args:
        alpha: float between 0 and 1, the share of sets that may miss the
            label. Defaults to `0.1`.
        method: a key of `CONFORMAL_SCORES`. Defaults to `"lac"`.
        penalty: float, of `"raps"`. Defaults to the one with the smallest sets
            on a fifth of the data, which the quantile then leaves out.
        rank: int, of `"raps"`, how many places are free. Defaults to the
            quantile of the labels' places in that fifth.
        seed: int, draws the fifth. Defaults to `0`.

    Input shape:
        `(batch, classes)`, probabilities.

    Output shape:
        `(batch, classes)`, bool.

    Example:

    >>> p = np.array([[0.9, 0.1], [0.8, 0.2], [0.6, 0.4], [0.3, 0.7]])
    >>> sets = ConformalSets(alpha=0.4).fit(p, [0, 0, 1, 1])
    >>> round(sets.quantile, 3)  # the third of 0.1, 0.2, 0.3, 0.6
    0.3
    >>> sets(np.array([[0.75, 0.25], [0.5, 0.5]])).tolist()
    [[True, False], [False, False]]

    Reference:
        Vovk, Gammerman and Shafer, 2005, "Algorithmic learning in a random
        world"; the scores: see `keras_plex.calibration.conformal_scores`.
    """

    def __init__(
        self,
        alpha: float = 0.1,
        method: str = "lac",
        *,
        penalty: float | None = None,
        rank: int | None = None,
        seed: int = 0,
    ):
        lookup(CONFORMAL_SCORES, method, "conformal method")
        _check_arguments(alpha, method, penalty, rank)
        self.alpha = float(alpha)
        self.method = method
        self.penalty = None if penalty is None else float(penalty)
        self.rank = None if rank is None else int(rank)
        self.seed = seed
        self.fitted: Config | None = None

    @property
    def quantile(self) -> float:
        """The largest score of a class that is in a set."""
        return 1.0 + self.numbers()["threshold"]

    @property
    def num_examples(self) -> int:
        """How many examples the quantile is of."""
        return self.numbers()["num_examples"]

    def numbers(self) -> Config:
        """What was fitted; raises before `fit`."""
        if self.fitted is None:
            raise ValueError(
                "`ConformalSets` is not fitted: call "
                "`fit(probabilities, labels)` first."
            )
        return self.fitted

    def fit(
        self, probabilities: ArrayLike, labels: ArrayLike
    ) -> "ConformalSets":
        """Finds the quantile on examples that the model was not fitted to.

        Args:
            probabilities: `(examples, classes)`.
            labels: class indices, or one-hot labels.
        """
        probabilities, labels = _one_label(probabilities, labels)
        penalty, rank = self.penalty or 0.0, self.rank or 0
        if self.method == "raps" and self.penalty is None:
            chosen = np.zeros(len(labels), bool)
            order = np.random.default_rng(self.seed).permutation(len(labels))
            chosen[order[: max(1, int(SHARE * len(labels)))]] = True
            check_enough(np.sum(~chosen), self.alpha, np.sum(chosen))
            penalty, rank = self._choose(probabilities[chosen], labels[chosen])
            probabilities, labels = probabilities[~chosen], labels[~chosen]
        check_enough(len(labels), self.alpha)
        scores = self._scores(probabilities, penalty, rank)
        of_labels = scores[np.arange(len(labels)), labels]
        self.fitted = {
            "threshold": _quantile(of_labels, self.alpha),
            "penalty": penalty,
            "rank": rank,
            "num_examples": len(labels),
        }
        return self

    def __call__(self, probabilities: Tensor) -> Tensor:
        numbers = self.numbers()
        rows = in_float32(probabilities)
        score = CONFORMAL_SCORES[self.method]
        generous = rows * (1.0 + TOLERANCE)
        scores = score(generous, numbers["penalty"], numbers["rank"])
        is_in = scores <= _with_slack(numbers["threshold"])
        return same_kind(is_in, probabilities)

    def get_config(self) -> Config:
        """The arguments, and what was fitted."""
        return {
            "alpha": self.alpha,
            "method": self.method,
            "penalty": self.penalty,
            "rank": self.rank,
            "seed": self.seed,
            "fitted": self.fitted,
        }

    @classmethod
    def from_config(cls, config: Config) -> "ConformalSets":
        """The sets of a configuration."""
        sets = cls(**{k: v for k, v in config.items() if k != "fitted"})
        sets.fitted = config["fitted"]
        return sets

    def _scores(self, rows: np.ndarray, penalty: float, rank: int):
        """In float32, as in a graph, and in parts, as there are many."""
        score = CONFORMAL_SCORES[self.method]
        parts = np.array_split(rows, range(CHUNK, len(rows), CHUNK))
        found = [
            ops.convert_to_numpy(score(in_float32(part), penalty, rank))
            for part in parts
        ]
        return np.concatenate(found).astype("float64")

    def _choose(
        self, rows: np.ndarray, labels: np.ndarray
    ) -> tuple[float, int]:
        """Penalty and rank that suit a part of the data."""
        number = np.arange(len(labels))
        places = np.argsort(np.argsort(-rows, axis=-1, kind="stable"), axis=-1)
        of_labels = places[number, labels] + 1
        rank = int(_quantile(of_labels, self.alpha))

        def size(penalty: float) -> float:
            scores = self._scores(rows, penalty, rank)
            threshold = _quantile(scores[number, labels], self.alpha)
            return float(np.mean(np.sum(scores <= threshold, axis=-1)))

        return min(PENALTIES, key=size), rank


def check_enough(count: int, alpha: float, left_out: int = 0) -> None:
    """Raises if so few examples can promise nothing."""
    least = math.ceil((1.0 - alpha) / alpha - 1e-9)
    if count < least:
        note = f" besides {left_out} to choose from" if left_out else ""
        raise ValueError(
            f"A promise with alpha={alpha} needs at least {least} examples"
            f"{note}. Received: {count}"
        )


def _quantile(scores: np.ndarray, alpha: float) -> float:
    """The `ceil((n + 1) (1 - alpha))`-th smallest, or the largest."""
    count = len(scores)
    # Less a trifle: (n + 1) (1 - alpha) may round to just above an integer.
    number = math.ceil((count + 1) * (1.0 - alpha) - 1e-9)
    return float(np.sort(scores)[min(number, count) - 1])


def _with_slack(threshold: float) -> float:
    # The penalties of "raps" round, too; and what float32 flushes to 0 is 0.
    threshold += 1e-6 * abs(threshold)
    return 0.0 if abs(threshold) < 1e-37 else threshold


def _one_label(
    probabilities: ArrayLike, labels: ArrayLike
) -> tuple[np.ndarray, np.ndarray]:
    if np.ndim(probabilities) != 2 or np.shape(probabilities)[1] < 2:
        raise ValueError(
            "Conformal sets are of the probabilities of a forecast, "
            "(examples, classes), of two classes or more. "
            f"Received: shape={np.shape(probabilities)}"
        )
    data = labelled_outputs(probabilities, labels, None, "probabilities")
    if np.any(data.targets.max(axis=-1) < 1.0):
        raise ValueError(
            "Conformal sets need one label per example: class indices or "
            "one-hot labels. Received: soft labels"
        )
    return np.asarray(probabilities), data.targets.argmax(axis=-1)


def _check_arguments(
    alpha: float, method: str, penalty: float | None, rank: int | None
) -> None:
    if not 0.0 < alpha < 1.0:
        raise ValueError(
            f"`alpha` must lie between 0 and 1. Received: alpha={alpha!r}"
        )
    given = f"penalty={penalty!r}, rank={rank!r}"
    if method != "raps" and not (penalty is None and rank is None):
        raise ValueError(
            '`penalty` and `rank` are those of "raps". '
            f"Received: method={method!r}, {given}"
        )
    if (penalty is None) != (rank is None):
        raise ValueError(
            f"Give both `penalty` and `rank`, or neither. Received: {given}"
        )
    if penalty is not None and (
        not 0 <= penalty < math.inf
        or not is_integer(rank)
        or int(rank or 0) < 0
    ):
        raise ValueError(
            "`penalty` must be a number and `rank` an integer, both at least "
            f"0. Received: {given}"
        )
