"""What both kinds of page are made of: tables, meters, numbers."""

import math
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from keras_plex.tasks.measures import find_measure
from keras_plex.tasks.reports.markup import Markup
from keras_plex.tasks.reports.markup import breakable
from keras_plex.tasks.reports.markup import element
from keras_plex.tasks.reports.markup import join
from keras_plex.tasks.reports.style import STYLE

# Tables with more rows are folded.
MAX_OPEN_ROWS = 12
MINUS = "−"
# Nearer to 0 is what rounding left of 0.
ROUNDING = 1e-9


def page(title: str, *children: Any) -> str:
    """A whole document that asks for nothing from elsewhere."""
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element(
            "meta",
            name="viewport",
            content="width=device-width, initial-scale=1",
        ),
        element("meta", name="color-scheme", content="light dark"),
        element("title", title),
        element("style", Markup(STYLE)),
    )
    body = element("body", element("main", children))
    document = element("html", head, body, lang="en")
    return f"<!DOCTYPE html>\n{document}\n"


def table(
    columns: Mapping[str, str | None],
    rows: Sequence[Sequence[Any]],
    caption: str,
) -> Markup:
    """A table whose first column heads the rows.

    Args:
        columns: heading -> class of its cells.
        rows: the cells of each row.
        caption: what the table shows.
    """
    kinds = list(columns.values())
    body = element("tbody", [_row(row, kinds) for row in rows])
    return _framed(columns, [body], caption)


def grouped_table(
    columns: Mapping[str, str | None],
    groups: Sequence[tuple[Any, Sequence[Sequence[Any]]]],
    caption: str,
) -> Markup:
    """The same with a heading above each group of rows."""
    kinds = list(columns.values())
    bodies = []
    for heading, rows in groups:
        title = element(
            "th", heading, scope="rowgroup", colspan=len(kinds), class_="group"
        )
        body = [element("tr", title), [_row(row, kinds) for row in rows]]
        bodies.append(element("tbody", body))
    return _framed(columns, bodies, caption)


def _row(row: Sequence[Any], kinds: Sequence[str | None]) -> Markup:
    first, *rest = row
    cells = [element("th", first, scope="row", class_=kinds[0])]
    cells += [
        element("td", cell, class_=kind)
        for cell, kind in zip(rest, kinds[1:], strict=True)
    ]
    return element("tr", cells)


def _framed(
    columns: Mapping[str, str | None], bodies: list[Markup], caption: str
) -> Markup:
    head = [
        element("th", heading, scope="col", class_=kind)
        for heading, kind in columns.items()
    ]
    made = element(
        "table",
        element("caption", caption),
        element("thead", element("tr", head)),
        bodies,
    )
    return element(
        "div",
        made,
        class_="scroll",
        tabindex="0",
        role="region",
        aria_label=caption,
    )


def is_long(num_rows: int) -> bool:
    """Whether a table of so many rows is folded."""
    return num_rows > MAX_OPEN_ROWS


def folded(made: Markup, num_rows: int, num_measures: int) -> Markup:
    """A table as it is; a long one under a line that opens it."""
    if not is_long(num_rows):
        return made
    summary = element("summary", f"All {num_measures} measures")
    return element("details", summary, made)


def meter(
    share: float, ends: tuple[float, float] = (math.nan, math.nan)
) -> Markup | None:
    """A bar of that share of its width, for the eye alone.

    Args:
        share: from 0 to 1.
        ends: of its interval, drawn as a line; none for NaN.
    """
    if math.isnan(share):
        return None
    interval = None
    if not any(map(math.isnan, ends)):
        low, high = sorted(map(_percent, ends))
        place = f"left:{low:.1f}%;width:{high - low:.1f}%"
        interval = element("b", style=place)
    bar = element("i", style=f"width:{_percent(share):.1f}%")
    return element("div", bar, interval, class_="meter", aria_hidden="true")


def _percent(share: float) -> float:
    return 100 * min(max(share, 0.0), 1.0)


def score_card(
    name: str, score: float, *, is_whole: bool = False, more: Any = None
) -> Markup:
    """One score of 100, and what is below it."""
    return element(
        "div",
        element("div", name, class_="name"),
        element(
            "div",
            number_text(score, 1),
            element("small", " of 100"),
            class_="number",
        ),
        meter(score / 100),
        more,
        class_="card whole" if is_whole else "card",
    )


def number_text(value: float, digits: int = 4, *, signed: bool = False) -> str:
    """A number with a true minus sign; "undefined" for NaN.

    Example:

    >>> number_text(-0.5, 2), number_text(0.00003, 2, signed=True)
    ('−0.50', '+3e-05')
    """
    if math.isnan(value):
        return "undefined"
    is_small = ROUNDING < abs(value) < 0.5 * 0.1**digits
    text = f"{abs(value):{'.1g' if is_small else f'.{digits}f'}}"
    text = text.replace("inf", "∞")
    if value < 0 and text.strip("0."):
        return MINUS + text
    return "+" + text if signed else text


def with_range(
    value: float,
    low: float,
    high: float,
    *,
    signed: bool = False,
    digits: int = 4,
) -> Markup:
    """A number, and its interval on a line of its own."""
    children = [number_text(value, digits, signed=signed)]
    if not math.isnan(low):
        ends = [number_text(end, digits, signed=signed) for end in (low, high)]
        text = f"{ends[0]} to\u00a0{ends[1]}"
        children.append(element("span", text, class_="range"))
    return join(children)


def measure_name(name: str, higher_is_better: bool) -> Markup:
    """The name, and an arrow to what is better, also in words."""
    arrow, words = ("↑", "higher") if higher_is_better else ("↓", "lower")
    sign = element(
        "span",
        arrow,
        role="img",
        aria_label=f"{words} is better",
        title=f"{words} is better",
    )
    return join([breakable(name), "\u00a0", sign])


def meaning(name: str) -> str:
    """What a measure means, in words."""
    return find_measure(name).meaning


def facts(items: Mapping[str, Any]) -> Markup:
    """A list of names and what stands behind them."""
    return element(
        "dl",
        [
            [element("dt", name), element("dd", _fact(value))]
            for name, value in items.items()
        ],
    )


def _fact(value: Any) -> Any:
    return value if isinstance(value, Markup) else str(value)


def seconds_text(seconds: float) -> str:
    """A time with three digits that count.

    Example:

    >>> seconds_text(0.00123), seconds_text(2.5)
    ('1.23 ms', '2.5 s')
    """
    if seconds < 1:
        return f"{seconds * 1e3:.3g} ms"
    return f"{seconds:.3g} s"


def count_text(count: float) -> str:
    """A large number in short.

    Example:

    >>> count_text(86_567_656), count_text(950)
    ('86.6 M', '950')
    """
    for size, letter in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if count >= size:
            return f"{count / size:.3g} {letter}"
    return f"{count:.3g}"
