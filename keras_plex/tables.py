"""Look a name up in a table, with an error that lists what exists."""

from collections.abc import Mapping
from typing import TypeVar

Value = TypeVar("Value")


def lookup(table: Mapping[str, Value], name: str, kind: str) -> Value:
    """Returns `table[name]`, or raises a `ValueError` that lists the names.

    Args:
        table: what exists, by name.
        name: the name asked for.
        kind: what the entries are, in words: `"head"`, `"score"`.
    """
    if isinstance(name, str) and name in table:
        return table[name]
    known = ", ".join(repr(key) for key in table)
    raise ValueError(f"Unknown {kind}: {name!r}. Available: {known}.")
