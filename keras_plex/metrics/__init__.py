"""Metrics of reliability: Keras metrics, and functions of whole arrays."""

from keras_plex.metrics.arrays import brier_score
from keras_plex.metrics.arrays import calibration_bins
from keras_plex.metrics.arrays import expected_calibration_error
from keras_plex.metrics.arrays import negative_log_likelihood
from keras_plex.metrics.brier_score import BrierScore
from keras_plex.metrics.expected_calibration_error import (
    ExpectedCalibrationError,
)
from keras_plex.metrics.negative_log_likelihood import NegativeLogLikelihood
from keras_plex.metrics.ood_auroc import OODAUROC
from keras_plex.metrics.ranking import auroc
from keras_plex.metrics.ranking import average_precision
from keras_plex.metrics.ranking import fpr_at_tpr

__all__ = [
    "OODAUROC",
    "BrierScore",
    "ExpectedCalibrationError",
    "NegativeLogLikelihood",
    "auroc",
    "average_precision",
    "brier_score",
    "calibration_bins",
    "expected_calibration_error",
    "fpr_at_tpr",
    "negative_log_likelihood",
]
