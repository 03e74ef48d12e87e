"""Scores: one number per example that says how uncertain a forecast is."""

from keras_plex.scores.feature_score import FeatureScore as FeatureScore
from keras_plex.scores.fit_scores import fit_scores as fit_scores
from keras_plex.scores.forecast_scores import disagreement as disagreement
from keras_plex.scores.forecast_scores import energy as energy
from keras_plex.scores.forecast_scores import entropy as entropy
from keras_plex.scores.forecast_scores import (
    generalized_entropy as generalized_entropy,
)
from keras_plex.scores.forecast_scores import margin as margin
from keras_plex.scores.forecast_scores import max_logit as max_logit
from keras_plex.scores.forecast_scores import msp as msp
from keras_plex.scores.forecast_scores import (
    mutual_information as mutual_information,
)
from keras_plex.scores.forecast_scores import variance as variance
from keras_plex.scores.load_score import load_score as load_score
from keras_plex.scores.mahalanobis import Mahalanobis as Mahalanobis
from keras_plex.scores.nearest_neighbors import (
    NearestNeighbors as NearestNeighbors,
)
from keras_plex.scores.relative_mahalanobis import (
    RelativeMahalanobis as RelativeMahalanobis,
)
from keras_plex.scores.table import DEFAULT_SCORES as DEFAULT_SCORES
from keras_plex.scores.table import SCORES as SCORES
from keras_plex.scores.table import Score as Score
from keras_plex.scores.table import needs_features as needs_features
from keras_plex.scores.table import ready_score as ready_score
from keras_plex.scores.table import score as score
from keras_plex.scores.table import score_name as score_name
from keras_plex.scores.vim import ViM as ViM
