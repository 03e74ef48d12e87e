"""Does the model know what it does not know?"""

from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from keras_plex.metrics.exact_ranking import exact_auroc
from keras_plex.metrics.exact_ranking import exact_average_precision
from keras_plex.metrics.exact_ranking import exact_fpr
from keras_plex.metrics.sorted_kinds import sort_kinds
from keras_plex.models.member_outputs import MemberOutputs
from keras_plex.plots.histograms import bin_edges
from keras_plex.plots.histograms import shares
from keras_plex.scores import Score
from keras_plex.scores import needs_features
from keras_plex.scores import score_name
from keras_plex.tasks.arguments import check_members
from keras_plex.tasks.arguments import known_scores
from keras_plex.tasks.arguments import named_sets
from keras_plex.tasks.data_set import DataSet
from keras_plex.tasks.examples import Evidence
from keras_plex.tasks.examples import Examples
from keras_plex.tasks.task import Task
from keras_plex.types import Data

TPR = 0.95

# Scores that need several members.
OF_MEMBERS = ("mutual_information", "disagreement")


class OpenSetRecognition(Task):
    """How well scores tell inputs of unknown classes from known ones.

    For each set and score `SET/SCORE/auroc`, `SET/SCORE/aupr` and
    `SET/SCORE/fpr95`; and `auroc`, `aupr`, `fpr95`, the means over the sets
    for the first score, `"msp"` unless you choose: the best of several scores
    would be chosen on the data that it is reported on.

    Args:
        test: data of known classes; labels are not used.
        unknown: dict from name to data of unknown classes, or such data.
        scores: names of scores, or fitted ones. Defaults to `"msp"` and
            `"entropy"`; for an ensemble also `"mutual_information"` and
            `"disagreement"`; `"variance"` where the head has one;
            `"relative_mahalanobis"` where there are training data.
        training: labelled data that scores of features are fitted to; an
            error where no such score is chosen.
        name: what the results are called. Defaults to
            `"open_set_recognition"`.

    Example:

    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Softmax()])
    >>> known = np.array([[4.0, 0.0], [0.0, 4.0]])
    >>> task = OpenSetRecognition(known, {"near": known / 8})
    >>> task.measure(task.predict(model))["near/msp/auroc"]
    1.0

    Reference:
        Hendrycks and Gimpel, 2017, "A baseline for detecting misclassified and
        out-of-distribution examples in neural networks".
    """

    kind = "open_set_recognition"
    category = "uncertainty"
    headline = "auroc"
    scored = ("auroc",)

    def __init__(
        self,
        test: Data,
        unknown: Mapping[str, Data] | Data,
        *,
        scores: Sequence[str | Score] | None = None,
        training: Data | None = None,
        name: str | None = None,
    ):
        super().__init__(name=name)
        if not isinstance(unknown, Mapping):
            unknown = {"unknown": unknown}
        if not unknown:
            raise ValueError(
                "`unknown` must hold a data set, as in "
                'unknown={"svhn": dataset}. Received: {}'
            )
        self.test = DataSet(test, needs_labels=False)
        self.unknown = {
            name: DataSet(data, needs_labels=False)
            for name, data in named_sets(unknown, "unknown").items()
        }
        self.chosen = None if scores is None else known_scores(scores)
        if self.chosen == ():
            raise ValueError("`scores` must name a score. Received: ()")
        self.training = training
        self._check_training()

    def _check_training(self) -> None:
        """Raises where it is missing, and where nothing would read it."""
        if self.chosen is None:
            return
        is_needed = any(map(_is_unfitted, self.chosen))
        if is_needed and self.training is None:
            raise ValueError(
                "Scores of features are fitted to labelled training data: pass "
                f"`training=(x, y)`. Received: scores={self.chosen}"
            )
        if not is_needed and self.training is not None:
            raise ValueError(
                "`training` is read by scores of features alone, and would be "
                f"ignored. Leave it out. Received: scores={self.chosen}"
            )

    def data_sets(self) -> dict[str, DataSet]:
        # A set of unknown data may be called "test", too.
        unknown = {f"unknown/{name}": one for name, one in self.unknown.items()}
        return {"test": self.test, **unknown}

    def scores(self, model: keras.Model) -> Sequence[str | Score]:
        if self.chosen is not None:
            _check_chosen(self.chosen, model)
            return self.chosen
        names = ["msp", "entropy"]
        if isinstance(model, MemberOutputs):
            if model.ensemble_size > 1:
                names += OF_MEMBERS
            if model.has_variance:
                names.append("variance")
        if self.training is not None:
            names.append("relative_mahalanobis")
        return names

    def training_data(self) -> Data | None:
        return self.training

    def measure(self, evidence: Evidence) -> dict[str, float]:
        columns = _score_columns(evidence["test"])
        each: dict[str, float] = {}
        for name in self.unknown:
            for column in columns:
                where = f"{name}/{column.removeprefix('score/')}"
                for measure, value in _rank(evidence, name, column).items():
                    each[f"{where}/{measure}"] = value
        first = columns[0].removeprefix("score/")
        return {
            measure: float(
                np.mean([each[f"{n}/{first}/{measure}"] for n in self.unknown])
            )
            for measure in ("auroc", "aupr", "fpr95")
        } | each

    def curves(self, evidence: Evidence) -> dict[str, Any]:
        histograms = {}
        for name in self.unknown:
            for column in _score_columns(evidence["test"]):
                known = evidence["test"][column]
                unknown = evidence[f"unknown/{name}"][column]
                edges = bin_edges(np.concatenate([known, unknown]))
                where = f"{name}/{column.removeprefix('score/')}"
                histograms[where] = {
                    "edges": edges.tolist(),
                    "known": shares(known, edges).tolist(),
                    "unknown": shares(unknown, edges).tolist(),
                }
        return {"score_histograms": histograms}


def _is_unfitted(score: str | Score) -> bool:
    return needs_features(score) and not getattr(score, "parameters", None)


def _check_chosen(scores: Sequence[str | Score], model: keras.Model) -> None:
    """Raises for what is 0 for every example of a model with one member."""
    for name in map(score_name, scores):
        if name in OF_MEMBERS:
            size = getattr(model, "ensemble_size", 1)
            check_members(f"Score {name!r}", size, 'score "entropy"')


def _score_columns(examples: Examples) -> list[str]:
    return [name for name in examples.columns if name.startswith("score/")]


def _rank(evidence: Evidence, name: str, column: str) -> dict[str, float]:
    """The three measures, from scores that are sorted once."""
    known = evidence["test"][column]
    scores = np.concatenate([known, evidence[f"unknown/{name}"][column]])
    kinds = sort_kinds(scores, np.arange(len(scores)) >= len(known), None)
    return {
        "auroc": exact_auroc(kinds),
        "aupr": exact_average_precision(kinds),
        "fpr95": exact_fpr(kinds, TPR),
    }
