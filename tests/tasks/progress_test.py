"""Bars go to the error stream, or nowhere."""

import pytest

from keras_plex.tasks.progress import show_progress


def test_each_name_has_a_bar(capsys):
    with show_progress(verbose=1) as move:
        move("one", 3, 10)
        move("two", 4, None)
        move("one", 12, 10)  # a batch may be more than was asked for
    captured = capsys.readouterr()
    assert not captured.out
    assert "one" in captured.err and "10/10" in captured.err
    assert "two" in captured.err and "4/?" in captured.err


def test_silence(capsys):
    with show_progress(verbose=0) as move:
        move("one", 3, 10)
    captured = capsys.readouterr()
    assert not captured.out and not captured.err


def test_an_error_passes_through():
    with pytest.raises(ZeroDivisionError), show_progress(verbose=1) as move:
        move("one", 1, 0)
        raise ZeroDivisionError
