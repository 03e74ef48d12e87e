"""Models with members: several side by side, or one with dropout left on."""

from keras_plex.models.deep_ensemble import DeepEnsemble as DeepEnsemble
from keras_plex.models.mc_dropout import MCDropout as MCDropout
