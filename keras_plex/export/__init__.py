"""Converted models as TensorFlow SavedModels, for TensorFlow Serving."""

from keras_plex.export.request import answer_request
from keras_plex.export.serving import export_for_serving

__all__ = ["answer_request", "export_for_serving"]
