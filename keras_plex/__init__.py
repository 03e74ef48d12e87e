"""Reliable Keras models: `model = keras_plex.plexify(vit)`."""

from keras_plex import callbacks as callbacks
from keras_plex import initializers as initializers
from keras_plex import layers as layers
from keras_plex import models as models
from keras_plex import optimizers as optimizers
from keras_plex import recipes as recipes
from keras_plex import tasks as tasks
from keras_plex.from_preset import from_preset as from_preset
from keras_plex.models.plex_model import PlexModel as PlexModel
from keras_plex.plexify import plexify as plexify
from keras_plex.predictions import Predictions as Predictions
from keras_plex.tasks.comparisons.compare import compare as compare
from keras_plex.tasks.evaluate import evaluate as evaluate

__version__ = "0.1.0"
