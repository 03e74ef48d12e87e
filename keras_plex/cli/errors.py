"""Mistakes of whoever typed the command, told apart from faults."""

import contextlib
from collections.abc import Iterator


class UsageError(Exception):
    """What was typed cannot be run as it is."""


@contextlib.contextmanager
def as_usage_errors() -> Iterator[None]:
    """Makes a `UsageError` of what reading input raises."""
    try:
        yield
    except (ValueError, OSError, TypeError) as error:
        raise UsageError(str(error)) from error
