"""Groups of handwritten features."""

import numpy as np

from keras_plex.data.named.groups import NO_GROUP
from keras_plex.data.named.groups import as_texts
from keras_plex.data.named.groups import feature
from keras_plex.data.named.groups import first_word_of_file
from keras_plex.data.named.groups import most_named


def test_features_become_names():
    read = feature("domain")
    assert read({"domain": np.array([3, 3])}).tolist() == ["3", "3"]
    assert read({"domain": [b"travel", "bank"]}).tolist() == ["travel", "bank"]
    assert as_texts([]).dtype.kind == "U"


def test_most_named_is_the_first_of_equals_and_none_below_half():
    read = most_named(("male", "female", "black"), 0.5)
    shares = {
        "male": np.array([0.8, 0.5, 0.49]),
        "female": np.array([0.1, 0.5, 0.2]),
        "black": np.array([0.9, 0.0, 0.0]),
    }
    assert read.keys == ("male", "female", "black")
    assert read(shares).tolist() == ["black", "male", NO_GROUP]


def test_renditions_come_from_file_names():
    read = first_word_of_file("file_name")
    names = {"file_name": [b"n01443537/video_game_12.jpg", b"art_0.jpg"]}
    assert read(names).tolist() == ["video_game", "art"]
