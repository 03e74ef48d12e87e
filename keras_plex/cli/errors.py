"""Mistakes of whoever typed the command, told apart from faults."""

import contextlib
import re
from collections.abc import Iterator

# What an error of the package calls an argument -> the option.
OPTIONS = {
    "`batch_size`": "--batch-size",
    '`corruptions=("fog", ...)`': "--option corruptions=fog,...",
    "`data_dir`": "--data-dir",
    "`download=True`": "--download",
    "`max_examples`": "--max-examples",
    "`output_kind`": "--output-kind",
    "`resamples`": "--resamples",
    '`shifted={"name": (x, y)}`': "--data shifted.NAME=PATH",
}

COLOURS = re.compile("\x1b\\[[0-9;]*m")
# Keras repeats whole arrays there.
REPEATED = re.compile(r"\s*Arguments received by .*", re.DOTALL)


class UsageError(Exception):
    """What was typed cannot be run as it is."""


@contextlib.contextmanager
def as_usage_errors(*kinds: type[Exception]) -> Iterator[None]:
    """Makes a `UsageError` of what wrong input raises.

    Args:
        *kinds: of errors. Defaults to those of reading input.
    """
    kinds = kinds or (ValueError, OSError, TypeError)
    try:
        yield
    except kinds as error:
        message = str(error)
        for argument, option in OPTIONS.items():
            message = message.replace(argument, option)
        raise UsageError(message) from error


def in_one_line(error: BaseException) -> str:
    r"""What an error and its notes say, without colours and line breaks.

    Example:

    >>> in_one_line(ValueError("the first line\nand the second"))
    'the first line and the second'
    """
    message = REPEATED.sub("", COLOURS.sub("", str(error)))
    notes = " ".join(getattr(error, "__notes__", ()))
    said = message.split() or [type(error).__name__]
    return " ".join([*notes.split(), *said])
