"""One row per metric and way of using it: `check_metric` runs on each.

A row is `"Class, what is special": MetricCase(...)`; append yours.
"""

from typing import NamedTuple

import keras
import numpy as np

from keras_plex.metrics import OODAUROC
from keras_plex.metrics import AdaptiveCalibrationError
from keras_plex.metrics import BrierScore
from keras_plex.metrics import CalibrationAUC
from keras_plex.metrics import ClasswiseCalibrationError
from keras_plex.metrics import ExpectedCalibrationError
from keras_plex.metrics import FPRAtTPR
from keras_plex.metrics import MaximumCalibrationError
from keras_plex.metrics import MemberDisagreement
from keras_plex.metrics import MemberKLDivergence
from keras_plex.metrics import NegativeLogLikelihood
from keras_plex.metrics import OODAveragePrecision
from keras_plex.metrics import OracleCollaborativeAccuracy
from keras_plex.metrics import OracleCollaborativeAUC
from keras_plex.metrics import RiskCoverageAUC
from keras_plex.metrics import SelectiveAccuracy
from keras_plex.metrics import SoftLabelKLDivergence
from keras_plex.metrics import SubpopulationAccuracy
from keras_plex.testing.metric_contracts import MakeBatch
from keras_plex.types import Config


class MetricCase(NamedTuple):
    """The arguments of `check_metric`."""

    metric_class: type[keras.metrics.Metric]
    arguments: Config
    make_batch: MakeBatch
    reads_labels: bool = True
    tolerance: float = 2e-6


def forecasts(generator, size):
    """Class indices and probabilities of three classes."""
    probabilities = generator.dirichlet(np.ones(3), size).astype("float32")
    return generator.integers(3, size=size), probabilities


def one_hot_logits(generator, size):
    """One-hot labels and logits."""
    logits = generator.normal(size=(size, 3)).astype("float32")
    return np.eye(3, dtype="float32")[generator.integers(3, size=size)], logits


def soft_forecasts(generator, size):
    """Soft labels and probabilities."""
    labels, probabilities = generator.dirichlet(np.ones(3), (2, size))
    return labels.astype("float32"), probabilities.astype("float32")


def member_forecasts(generator, size):
    """Class indices and the probabilities of five members."""
    members = generator.dirichlet(np.ones(3), (size, 5)).astype("float32")
    return generator.integers(3, size=size), members


def member_logits(generator, size):
    """Class indices and the logits of five members."""
    logits = generator.normal(size=(size, 5, 3)).astype("float32")
    return generator.integers(3, size=size), logits


def one_unit(generator, size):
    """Labels 0 and 1, and the probability of 1."""
    probabilities = generator.uniform(size=(size, 1)).astype("float32")
    return generator.integers(2, size=size), probabilities


def grouped_forecasts(generator, size):
    """Class indices beside groups of four, and probabilities."""
    labels, probabilities = forecasts(generator, size)
    groups = generator.integers(4, size=size)
    return np.stack([labels, groups], axis=-1), probabilities


def scores(generator, size):
    """1 for OOD and 0 for known, and scores, higher for OOD on average."""
    is_ood = np.arange(size) % 2
    return is_ood, generator.normal(is_ood, 1.0).astype("float32")


def ood_logits(generator, size):
    """1 for OOD and 0 for known, and logits."""
    logits = generator.normal(size=(size, 3)).astype("float32")
    return np.arange(size) % 2, logits


METRICS = {
    "AdaptiveCalibrationError": MetricCase(
        AdaptiveCalibrationError, {"num_bins": 4}, forecasts
    ),
    "AdaptiveCalibrationError, soft labels, threshold": MetricCase(
        AdaptiveCalibrationError,
        {"num_bins": 3, "threshold": 0.1},
        soft_forecasts,
    ),
    "ClasswiseCalibrationError": MetricCase(
        ClasswiseCalibrationError, {"num_bins": 5}, member_forecasts
    ),
    "ClasswiseCalibrationError, logits, threshold": MetricCase(
        ClasswiseCalibrationError,
        {"from_logits": True, "threshold": 0.1},
        one_hot_logits,
    ),
    "ExpectedCalibrationError, weighted": MetricCase(
        ExpectedCalibrationError, {"weighted": True}, one_unit
    ),
    "MaximumCalibrationError": MetricCase(
        MaximumCalibrationError, {"num_bins": 5}, forecasts
    ),
    "MemberDisagreement": MetricCase(
        MemberDisagreement, {}, member_forecasts, reads_labels=False
    ),
    "MemberDisagreement, logits, normalized": MetricCase(
        MemberDisagreement,
        {"from_logits": True, "normalize": True},
        member_logits,
    ),
    "MemberKLDivergence": MetricCase(
        MemberKLDivergence, {}, member_forecasts, reads_labels=False
    ),
    "MemberKLDivergence, logits": MetricCase(
        MemberKLDivergence,
        {"from_logits": True},
        member_logits,
        reads_labels=False,
    ),
    "SoftLabelKLDivergence": MetricCase(
        SoftLabelKLDivergence, {}, soft_forecasts
    ),
    "SoftLabelKLDivergence, logits": MetricCase(
        SoftLabelKLDivergence, {"from_logits": True}, member_logits
    ),
    "SubpopulationAccuracy": MetricCase(
        SubpopulationAccuracy, {"num_groups": 5}, grouped_forecasts
    ),
    "SubpopulationAccuracy, percentile": MetricCase(
        SubpopulationAccuracy,
        {"num_groups": 4, "statistic": "p25"},
        grouped_forecasts,
    ),
    "ExpectedCalibrationError": MetricCase(
        ExpectedCalibrationError, {"num_bins": 7}, forecasts
    ),
    "ExpectedCalibrationError, logits of members": MetricCase(
        ExpectedCalibrationError, {"from_logits": True}, member_logits
    ),
    "NegativeLogLikelihood": MetricCase(
        NegativeLogLikelihood, {}, soft_forecasts
    ),
    "NegativeLogLikelihood, one-hot, logits": MetricCase(
        NegativeLogLikelihood, {"from_logits": True}, one_hot_logits
    ),
    "BrierScore": MetricCase(BrierScore, {}, member_forecasts),
    "BrierScore, one unit": MetricCase(BrierScore, {}, one_unit),
    "OODAUROC": MetricCase(OODAUROC, {"num_bins": 1024}, scores),
    "OODAUROC, of logits": MetricCase(
        OODAUROC, {"score": "entropy", "from_logits": True}, ood_logits
    ),
    "OODAveragePrecision": MetricCase(
        OODAveragePrecision, {"num_bins": 1024}, scores
    ),
    "FPRAtTPR": MetricCase(FPRAtTPR, {"num_bins": 1024, "tpr": 0.7}, scores),
    "CalibrationAUC": MetricCase(CalibrationAUC, {}, forecasts),
    "CalibrationAUC, PR, logits of members": MetricCase(
        CalibrationAUC,
        {"curve": "PR", "from_logits": True, "positive": "correct"},
        member_logits,
    ),
    "RiskCoverageAUC": MetricCase(
        RiskCoverageAUC, {"excess": True}, soft_forecasts
    ),
    "SelectiveAccuracy": MetricCase(
        SelectiveAccuracy, {"coverage": 0.55}, one_unit
    ),
    "OracleCollaborativeAccuracy": MetricCase(
        OracleCollaborativeAccuracy, {"fraction": 0.3}, forecasts
    ),
    "OracleCollaborativeAccuracy, threshold": MetricCase(
        OracleCollaborativeAccuracy,
        {"fraction": 0.3, "num_bins": 10, "threshold": 0.6},
        one_unit,
    ),
    "OracleCollaborativeAUC": MetricCase(
        OracleCollaborativeAUC,
        {"fraction": 0.2, "num_thresholds": 20, "num_bins": 30},
        forecasts,
    ),
    "OracleCollaborativeAUC, PR": MetricCase(
        OracleCollaborativeAUC,
        {"curve": "PR", "num_thresholds": 20, "oracle_threshold": 0.1},
        one_unit,
    ),
}
