"""Callbacks that watch reliability while a model learns."""

from keras_plex.callbacks.reliability_diagrams import (
    ReliabilityDiagrams as ReliabilityDiagrams,
)
from keras_plex.callbacks.reliability_monitor import (
    ReliabilityMonitor as ReliabilityMonitor,
)
from keras_plex.models.reset_covariance import (
    ResetCovariance as ResetCovariance,
)
