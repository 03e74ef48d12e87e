"""What was typed as NAME=VALUE."""

import inspect
import typing
from collections.abc import Sequence
from typing import Any


def split_pairs(pairs: Sequence[str], option: str) -> dict[str, str]:
    """`["a=b"]` as a dict."""
    found: dict[str, str] = {}
    for pair in pairs:
        name, sign, value = pair.partition("=")
        if not (name and sign and value):
            raise ValueError(f"{option} takes NAME=VALUE. Received: {pair!r}")
        if name in found:
            raise ValueError(f"{option} has {name!r} twice.")
        found[name] = value
    return found


def parse_value(text: str) -> Any:
    """A number, a word, or a list of them where there are commas.

    Example:

    >>> parse_value("fog,contrast"), parse_value("1,3"), parse_value("fog,")
    (['fog', 'contrast'], [1, 3], ['fog'])
    """
    if "," in text:
        return [parse_value(part) for part in text.split(",") if part]
    for number in (int, float):
        try:
            return number(text)
        except ValueError:
            continue
    return text


def as_argument(value: Any, parameter: inspect.Parameter) -> Any:
    """A single value as a list, where the parameter takes a list.

    Example:

    >>> def task(shots: Sequence[int], l2: float | None): ...
    >>> shots, l2 = inspect.signature(task).parameters.values()
    >>> as_argument(5, shots), as_argument(5, l2)
    ([5], 5)
    """
    hint = parameter.annotation
    takes = [typing.get_origin(one) for one in (hint, *typing.get_args(hint))]
    is_single = not isinstance(value, list)
    return [value] if is_single and Sequence in takes else value
