"""Names are words."""

from keras_plex.tasks.reports.words import in_words
from keras_plex.tasks.reports.words import which_is_better


def test_abbreviations_are_in_capitals():
    assert in_words("nll") == "NLL"
    assert in_words("aubc of my_own") == "Aubc of my own"


def test_directions_are_told():
    assert which_is_better("ece") == "Lower is better."
    assert which_is_better("accuracy") == "Higher is better."
