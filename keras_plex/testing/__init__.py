"""Asserts that an object keeps the contracts of its kind: yours too."""

from keras_plex.testing.family_contracts import FAMILY_CONTRACTS
from keras_plex.testing.family_contracts import check_family
from keras_plex.testing.layer_contracts import LAYER_CONTRACTS
from keras_plex.testing.layer_contracts import check_layer
from keras_plex.testing.metric_contracts import METRIC_CONTRACTS
from keras_plex.testing.metric_contracts import check_metric
from keras_plex.testing.shared import JIT_COMPILE
from keras_plex.testing.task_contracts import TASK_CONTRACTS
from keras_plex.testing.task_contracts import check_task

__all__ = [
    "FAMILY_CONTRACTS",
    "JIT_COMPILE",
    "LAYER_CONTRACTS",
    "METRIC_CONTRACTS",
    "TASK_CONTRACTS",
    "check_family",
    "check_layer",
    "check_metric",
    "check_task",
]
