"""The table of scores, by name."""

from collections.abc import Callable
from collections.abc import Sequence
from typing import Any

from keras_plex.scores import forecast_scores
from keras_plex.scores.feature_score import FeatureScore
from keras_plex.scores.feature_score import check_fitted
from keras_plex.scores.fields import Fields
from keras_plex.scores.mahalanobis import Mahalanobis
from keras_plex.scores.nearest_neighbors import NearestNeighbors
from keras_plex.scores.relative_mahalanobis import RelativeMahalanobis
from keras_plex.scores.vim import ViM
from keras_plex.tables import lookup
from keras_plex.types import Tensor

Score = Callable[[Fields], Tensor]

# Name -> a function of `Predictions`, or the class of a score that is fitted.
# Add one here, or from outside: it is an ordinary dict.
SCORES: dict[str, Any] = {
    "msp": forecast_scores.msp,
    "max_logit": forecast_scores.max_logit,
    "energy": forecast_scores.energy,
    "entropy": forecast_scores.entropy,
    "margin": forecast_scores.margin,
    "generalized_entropy": forecast_scores.generalized_entropy,
    "mutual_information": forecast_scores.mutual_information,
    "disagreement": forecast_scores.disagreement,
    "variance": forecast_scores.variance,
    "mahalanobis": Mahalanobis,
    "relative_mahalanobis": RelativeMahalanobis,
    "knn": NearestNeighbors,
    "vim": ViM,
}

# Of image classifiers; chosen in docs/ood_scores.md.
DEFAULT_SCORES = ("msp", "relative_mahalanobis")


def score(name: str) -> Any:
    """The score of that name in `SCORES`.

    A score takes `Predictions`, or any object with its fields, and returns
    `(batch,)`: higher = more uncertain, or more likely out of distribution.
    Fields that are NumPy arrays give a NumPy array, tensors a tensor, so that
    a score also runs inside a compiled or exported graph.

    The scores of features are fitted to training data first. For these each
    call returns a new `FeatureScore`; `fit_scores` fits several in one pass.

    Args:
        name: a key of `SCORES`. Extend the table to add one:
            `SCORES["least_likely"] = my_function`.

    Example:

    >>> import numpy as np
    >>> from keras_plex.predictions import Predictions
    >>> predictions = Predictions.from_outputs(
    ...     np.array([[0.5, 0.5], [0.75, 0.25]]), "probabilities"
    ... )
    >>> score("msp")(predictions).tolist()
    [0.5, 0.25]
    >>> score("knn").get_config()["k"]
    50
    """
    entry = lookup(SCORES, name, "score")
    return entry() if isinstance(entry, type) else entry


def needs_features(score: str | Score) -> bool:
    """Whether a score, or the one of that name, reads features.

    Those are the ones that are fitted to training data: `FeatureScore`s.
    """
    if isinstance(score, str):
        score = lookup(SCORES, score, "score")
    if isinstance(score, type):
        return issubclass(score, FeatureScore)
    return isinstance(score, FeatureScore)


def ready_score(score: str | Score) -> Score:
    """A score that can be called: a function, or one that is fitted.

    Args:
        score: a name, a function, or a `FeatureScore`. A name of a score that
            is fitted is an error that says how to fit it.
    """
    found = lookup_score(score) if isinstance(score, str) else score
    if not callable(found):
        raise ValueError(
            "A score must be a name in `SCORES`, a function of predictions or "
            f"a fitted `FeatureScore`. Received: {score!r}"
        )
    if isinstance(found, FeatureScore):
        check_fitted(found)
    return found


def score_name(score: str | Score) -> str:
    """The name of a score, for reports."""
    if isinstance(score, str):
        return score
    return getattr(score, "name", None) or getattr(
        score, "__name__", type(score).__name__
    )


def check_distinct(scores: Sequence[str | Score]) -> None:
    """Raises for two scores of one name, of which one would be lost."""
    names = [score_name(one) for one in scores]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(
            "Scores must differ in their names. Make a score of features a "
            "subclass with a `name` of its own, and a lambda a function. "
            f"Received twice: {twice}"
        )


# `score` names the argument above.
lookup_score = score
