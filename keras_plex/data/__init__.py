"""Real data to show and to measure with, and what can befall it."""

from keras_plex.data.corruptions.corrupt_images import IMAGE_CORRUPTIONS
from keras_plex.data.corruptions.corrupt_images import corrupt_images
from keras_plex.data.corruptions.corrupt_texts import TEXT_CORRUPTIONS
from keras_plex.data.corruptions.corrupt_texts import corrupt_texts
from keras_plex.data.intents.nalue import nalue
from keras_plex.data.named.table import DATA_SETS

__all__ = [
    "DATA_SETS",
    "IMAGE_CORRUPTIONS",
    "TEXT_CORRUPTIONS",
    "corrupt_images",
    "corrupt_texts",
    "nalue",
]
