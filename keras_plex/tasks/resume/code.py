"""A mark of what code does: not of its file, its lines or its comments."""

import hashlib
import types
from typing import Any


def mark_code(code: types.CodeType) -> str:
    """Hex digits that are others where instructions, names or constants are.

    Example:

    >>> one, other = (lambda x: x + 1), (lambda x: x + 2)
    >>> mark_code(one.__code__) == mark_code((lambda x: x + 1).__code__)
    True
    >>> mark_code(one.__code__) == mark_code(other.__code__)
    False
    """
    parts = (
        code.co_code.hex(),
        code.co_names,
        code.co_freevars,
        code.co_argcount,
        code.co_kwonlyargcount,
        code.co_flags,
        [_constant(one) for one in code.co_consts],
    )
    return hashlib.blake2b(repr(parts).encode(), digest_size=8).hexdigest()


def names_in(code: types.CodeType) -> set[str]:
    """The names of globals and attributes, also those of functions within."""
    found = set(code.co_names)
    for one in code.co_consts:
        if isinstance(one, types.CodeType):
            found |= names_in(one)
    return found


def _constant(value: Any) -> str:
    if isinstance(value, types.CodeType):
        return mark_code(value)
    if isinstance(value, tuple):
        return f"({', '.join(map(_constant, value))})"
    if isinstance(value, frozenset):  # in another order in each process
        return f"{{{', '.join(sorted(map(_constant, value)))}}}"
    return repr(value)
