"""Real data to show and to measure with, and what can befall it."""

from keras_plex.data.corruptions.corrupt_images import IMAGE_CORRUPTIONS
from keras_plex.data.corruptions.corrupt_images import corrupt_images
from keras_plex.data.corruptions.corrupt_texts import TEXT_CORRUPTIONS
from keras_plex.data.corruptions.corrupt_texts import corrupt_texts

__all__ = [
    "IMAGE_CORRUPTIONS",
    "TEXT_CORRUPTIONS",
    "corrupt_images",
    "corrupt_texts",
]
