"""Wrong input is told apart from faults."""

import pytest

from keras_plex.cli.errors import UsageError
from keras_plex.cli.errors import as_usage_errors
from keras_plex.cli.errors import in_one_line


@pytest.mark.parametrize("error", [ValueError, FileNotFoundError, TypeError])
def test_what_reading_raises_is_the_users(error):
    with pytest.raises(UsageError, match="why"):
        with as_usage_errors():
            raise error("why")


def test_other_faults_stay_what_they_are():
    with pytest.raises(RuntimeError), as_usage_errors():
        raise RuntimeError("ours")


def test_which_errors_are_the_users_can_be_said():
    with pytest.raises(OSError), as_usage_errors(ValueError):
        raise OSError("the disk is full")
    with pytest.raises(UsageError), as_usage_errors(ValueError):
        raise ValueError("why")


def test_options_are_called_as_they_are_typed():
    with pytest.raises(UsageError, match="^pass --output-kind, or `shots`$"):
        with as_usage_errors():
            raise ValueError("pass `output_kind`, or `shots`")


def test_colours_line_breaks_and_repeated_arrays_are_left_out():
    message = "Calling it.\n\n\x1b[1mNo axis 3\x1b[0m\n\nArguments received by"
    error = ValueError(f"{message} call():\n  inputs=tf.Tensor(\n[1 2])")
    assert in_one_line(error) == "Calling it. No axis 3"
    assert in_one_line(RuntimeError()) == "RuntimeError"


def test_notes_say_first_where_it_was():
    error = MemoryError()
    error.add_note("On the set 'test'.")
    assert in_one_line(error) == "On the set 'test'. MemoryError"
