"""Callbacks that watch reliability while a model learns."""

from keras_plex.models.reset_covariance import (
    ResetCovariance as ResetCovariance,
)
