"""Names are words."""

from keras_plex.tasks.reports.words import in_words


def test_abbreviations_are_in_capitals():
    assert in_words("nll") == "NLL"
    assert in_words("aubc of my_own") == "Aubc of my own"
