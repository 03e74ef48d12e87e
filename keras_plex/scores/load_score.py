"""Reads a fitted score from a file."""

import pathlib

from keras_plex.scores.feature_score import FeatureScore
from keras_plex.scores.files import read_score
from keras_plex.scores.table import SCORES
from keras_plex.tables import lookup


def load_score(path: str | pathlib.Path) -> FeatureScore:
    """The fitted score that `FeatureScore.save` wrote.

    Its class is the one that `SCORES` holds under its name: a score of your
    own must be in the table again.

    Args:
        path: of the file.
    """
    description, parameters = read_score(path)
    score_class = lookup(SCORES, description["name"], "score")
    score = score_class.from_config(description["config"])
    score.parameters = parameters
    score.feature_shape = tuple(description["feature_shape"])
    return score
