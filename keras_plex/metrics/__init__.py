"""Metrics of reliability: Keras metrics, and functions of whole arrays."""

from keras_plex.metrics.adaptive_calibration_error import (
    AdaptiveCalibrationError,
)
from keras_plex.metrics.arrays import adaptive_calibration_error
from keras_plex.metrics.arrays import brier_score
from keras_plex.metrics.arrays import calibration_bins
from keras_plex.metrics.arrays import classwise_calibration_error
from keras_plex.metrics.arrays import expected_calibration_error
from keras_plex.metrics.arrays import maximum_calibration_error
from keras_plex.metrics.arrays import negative_log_likelihood
from keras_plex.metrics.arrays import soft_label_kl_divergence
from keras_plex.metrics.brier_score import BrierScore
from keras_plex.metrics.calibration_auc import CalibrationAUC
from keras_plex.metrics.calibration_error import calibration_error
from keras_plex.metrics.calibration_errors import calibration_errors
from keras_plex.metrics.classwise_calibration_error import (
    ClasswiseCalibrationError,
)
from keras_plex.metrics.expected_calibration_error import (
    ExpectedCalibrationError,
)
from keras_plex.metrics.fpr_at_tpr import FPRAtTPR
from keras_plex.metrics.group_arrays import member_disagreement
from keras_plex.metrics.group_arrays import member_kl_divergence
from keras_plex.metrics.group_arrays import subpopulation_accuracy
from keras_plex.metrics.maximum_calibration_error import MaximumCalibrationError
from keras_plex.metrics.mean_corruption_error import ALEXNET_ERRORS
from keras_plex.metrics.mean_corruption_error import mean_corruption_error
from keras_plex.metrics.member_disagreement import MemberDisagreement
from keras_plex.metrics.member_kl_divergence import MemberKLDivergence
from keras_plex.metrics.negative_log_likelihood import NegativeLogLikelihood
from keras_plex.metrics.ood_auroc import OODAUROC
from keras_plex.metrics.ood_average_precision import OODAveragePrecision
from keras_plex.metrics.oracle_collaborative_accuracy import (
    OracleCollaborativeAccuracy,
)
from keras_plex.metrics.oracle_collaborative_auc import OracleCollaborativeAUC
from keras_plex.metrics.ranking import auroc
from keras_plex.metrics.ranking import average_precision
from keras_plex.metrics.ranking import fpr_at_tpr
from keras_plex.metrics.risk_coverage_auc import RiskCoverageAUC
from keras_plex.metrics.selective_accuracy import SelectiveAccuracy
from keras_plex.metrics.selective_prediction import calibration_auc
from keras_plex.metrics.selective_prediction import (
    oracle_collaborative_accuracy,
)
from keras_plex.metrics.selective_prediction import oracle_collaborative_auc
from keras_plex.metrics.selective_prediction import risk_coverage_auc
from keras_plex.metrics.selective_prediction import risk_coverage_curve
from keras_plex.metrics.selective_prediction import selective_accuracy
from keras_plex.metrics.soft_label_kl_divergence import SoftLabelKLDivergence
from keras_plex.metrics.subpopulation_accuracy import SubpopulationAccuracy

__all__ = [
    "ALEXNET_ERRORS",
    "OODAUROC",
    "AdaptiveCalibrationError",
    "BrierScore",
    "CalibrationAUC",
    "ClasswiseCalibrationError",
    "ExpectedCalibrationError",
    "FPRAtTPR",
    "MaximumCalibrationError",
    "MemberDisagreement",
    "MemberKLDivergence",
    "NegativeLogLikelihood",
    "OODAveragePrecision",
    "OracleCollaborativeAUC",
    "OracleCollaborativeAccuracy",
    "RiskCoverageAUC",
    "SelectiveAccuracy",
    "SoftLabelKLDivergence",
    "SubpopulationAccuracy",
    "adaptive_calibration_error",
    "auroc",
    "average_precision",
    "brier_score",
    "calibration_auc",
    "calibration_bins",
    "calibration_error",
    "calibration_errors",
    "classwise_calibration_error",
    "expected_calibration_error",
    "fpr_at_tpr",
    "maximum_calibration_error",
    "mean_corruption_error",
    "member_disagreement",
    "member_kl_divergence",
    "negative_log_likelihood",
    "oracle_collaborative_accuracy",
    "oracle_collaborative_auc",
    "risk_coverage_auc",
    "risk_coverage_curve",
    "selective_accuracy",
    "soft_label_kl_divergence",
    "subpopulation_accuracy",
]
