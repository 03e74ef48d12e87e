"""HTML and SVG as text in which every name is escaped."""

import html
import re
from collections.abc import Iterable
from typing import Any

VOID = frozenset({"meta", "wbr"})


class Markup(str):
    """Text that is markup, and no longer escaped."""


def element(tag: str, *children: Any, **attributes: Any) -> Markup:
    """One element, with its children inside.

    Args:
        tag: such as `"td"`.
        *children: markup as it is; other text and numbers escaped; lists are
            flattened and `None` is left out.
        **attributes: `class_` is written as class, `aria_label` as
            aria-label; `None` leaves an attribute out.

    Example:

    >>> element("td", "a < b", class_="name")
    '<td class="name">a &lt; b</td>'
    """
    written = "".join(
        f' {_attribute_name(name)}="{html.escape(_text(value))}"'
        for name, value in attributes.items()
        if value is not None
    )
    opened = f"<{tag}{written}>"
    if tag in VOID:
        return Markup(opened)
    return Markup(f"{opened}{join(children)}</{tag}>")


def join(children: Iterable[Any]) -> Markup:
    """Children one after the other, as `element` writes them."""
    return Markup("".join(map(_child, children)))


def breakable(name: str) -> Markup:
    """A name that may be broken after `_` and `/`, where a line is short.

    Example:

    >>> breakable("a_b")
    'a_<wbr>b'
    """
    parts = re.split(r"(?<=[_/])(?=.)", name)
    return Markup("<wbr>".join(html.escape(part) for part in parts))


def _child(child: Any) -> str:
    if child is None:
        return ""
    if isinstance(child, Markup):
        return child
    if isinstance(child, (list, tuple)):
        return join(child)
    return html.escape(_text(child))


def _attribute_name(name: str) -> str:
    return name.rstrip("_").replace("_", "-")


def _text(value: Any) -> str:
    """Numbers of pixels need no more than one digit after the point."""
    if isinstance(value, float):
        return f"{value:.1f}".removesuffix(".0")
    return str(value)
