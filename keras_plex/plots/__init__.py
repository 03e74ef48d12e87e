"""Pictures of reliability, drawn with matplotlib."""

from keras_plex.plots.reliability_diagram import reliability_diagram

__all__ = ["reliability_diagram"]
