"""Mistakes of whoever typed the command, told apart from faults."""

import contextlib
import re
from collections.abc import Iterator

# What an error of the package calls an argument -> the option.
OPTIONS = {
    "`batch_size`": "--batch-size",
    "`data_dir`": "--data-dir",
    "`download=True`": "--download",
    "`max_examples`": "--max-examples",
    "`output_kind`": "--output-kind",
    "`resamples`": "--resamples",
}

COLOURS = re.compile("\x1b\\[[0-9;]*m")
# Keras repeats whole arrays there.
REPEATED = re.compile(r"\s*Arguments received by .*", re.DOTALL)


class UsageError(Exception):
    """What was typed cannot be run as it is."""


@contextlib.contextmanager
def as_usage_errors() -> Iterator[None]:
    """Makes a `UsageError` of what reading input raises."""
    try:
        yield
    except (ValueError, OSError, TypeError) as error:
        message = str(error)
        for argument, option in OPTIONS.items():
            message = message.replace(argument, option)
        raise UsageError(message) from error


def in_one_line(error: BaseException) -> str:
    r"""What an error says, without colours and line breaks.

    Example:

    >>> in_one_line(ValueError("the first line\nand the second"))
    'the first line and the second'
    """
    message = REPEATED.sub("", COLOURS.sub("", str(error)))
    return " ".join(message.split()) or type(error).__name__
