"""A chart in SVG: a frame, and lines, points, bars and steps in it."""

import math
from collections.abc import Sequence
from typing import Any

from keras_plex.tasks.reports.axis import Axis
from keras_plex.tasks.reports.axis import nice_ticks
from keras_plex.tasks.reports.axis import tick_label
from keras_plex.tasks.reports.markup import Markup
from keras_plex.tasks.reports.markup import element

WIDTH = 360.0
LEFT, RIGHT, TOP, BOTTOM = 44.0, 12.0, 22.0, 38.0
# Series differ in colour, dashes and marker; style.py has the first two.
NUM_SERIES = 6
MARKERS = (
    "M-3.5 0a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0 -7 0z",
    "M-3.2 -3.2h6.4v6.4h-6.4z",
    "M0 -4.2l4 7h-8z",
    "M0 -4.5l4.5 4.5l-4.5 4.5l-4.5 -4.5z",
    "M0 4.2l4 -7h-8z",
    "M-4 -1.3h2.7v-2.7h2.6v2.7h2.7v2.6h-2.7v2.7h-2.6v-2.7h-2.7z",
)


class Chart:
    """Draws into one SVG, whose colours are those of the page around it.

    Args:
        description: what a screen reader says.
        x: range of the horizontal axis.
        y: range of the vertical axis.
        height: in units of which the width has 360.
        left: where the vertical axis stands.
        x_scale: of the horizontal axis, a key of `SCALES`.
        y_scale: of the vertical axis.
    """

    def __init__(
        self,
        description: str,
        *,
        x: tuple[float, float],
        y: tuple[float, float],
        height: float = 236.0,
        left: float = LEFT,
        x_scale: str = "linear",
        y_scale: str = "linear",
    ):
        self.description = description
        self.height = height
        self.x = Axis(*x, left, WIDTH - RIGHT, x_scale)
        self.y = Axis(*y, height - BOTTOM, TOP, y_scale)
        self.parts: list[Markup] = []

    def add(self, tag: str, *children: Any, **attributes: Any) -> None:
        """One more SVG element on top."""
        self.parts.append(element(tag, *children, **attributes))

    def label_axes(
        self,
        x_label: str,
        y_label: str,
        *,
        x_ticks: Sequence[float] | None = None,
        y_ticks: Sequence[float] | None = None,
    ) -> None:
        """Grid lines, numbers and what they mean; call it first."""
        bottom, left = self.y.start, self.x.start
        if y_ticks is None:
            y_ticks = nice_ticks(self.y.low, self.y.high)
        if x_ticks is None:
            x_ticks = nice_ticks(self.x.low, self.x.high)
        for value in y_ticks:
            y = self.y(value)
            self.add("path", d=f"M{left} {y:.1f}H{self.x.stop}", class_="grid")
            self.text(left - 6, y + 4, tick_label(value), "end")
        for value in x_ticks:
            x = self.x(value)
            self.add("path", d=f"M{x:.1f} {bottom}v4", class_="axis")
            self.text(x, bottom + 16, tick_label(value), "middle")
        self.add("path", d=f"M{left} {bottom}H{self.x.stop}", class_="axis")
        self.text(0, 11, y_label, "start", "label")
        middle = (self.x.start + self.x.stop) / 2
        self.text(middle, self.height - 5, x_label, "middle", "label")

    def text(
        self, x: float, y: float, text: str, anchor: str, kind: str = "tick"
    ) -> None:
        """Text, of which `anchor` is at a place in pixels."""
        self.add("text", text, x=x, y=y, text_anchor=anchor, class_=kind)

    def line(
        self,
        x: Sequence[float],
        y: Sequence[float],
        *,
        kind: str = "line s0",
        marker: int | None = None,
    ) -> None:
        """A line through the points; it breaks at what is not finite."""
        path, pen = "", "M"
        for a, b in zip(x, y, strict=True):
            if not (math.isfinite(a) and math.isfinite(b)):
                pen = "M"
                continue
            path += f"{pen}{self.x(a):.1f} {self.y(b):.1f}"
            pen = "L"
            if marker is not None:
                self.point(a, b, marker)
        if path:
            self.parts.append(element("path", d=path, class_=kind))

    def point(self, x: float, y: float, series: int) -> None:
        """The marker of a series."""
        self.parts.append(marker(self.x(x), self.y(y), series))

    def bar(
        self, x: tuple[float, float], y: tuple[float, float], kind: str
    ) -> None:
        """A rectangle between two numbers of each axis."""
        left, right = sorted(map(self.x, x))
        top, bottom = sorted(map(self.y, y))
        self.add(
            "rect",
            x=left,
            y=top,
            width=max(right - left, 0.0),
            height=bottom - top,
            class_=kind,
        )

    def steps(
        self, edges: Sequence[float], heights: Sequence[float], kind: str
    ) -> None:
        """The outline of a histogram, closed at the bottom."""
        floor = self.y(0.0)
        path = f"M{self.x(edges[0]):.1f} {floor:.1f}"
        for edge, height in zip(edges[1:], heights, strict=True):
            path += f"V{self.y(height):.1f}H{self.x(edge):.1f}"
        self.add("path", d=f"{path}V{floor:.1f}Z", class_=kind)

    def render(self) -> Markup:
        """The SVG; it is as wide as the page lets it be."""
        return element(
            "svg",
            self.parts,
            viewBox=f"0 0 {WIDTH:.0f} {self.height:.0f}",
            role="img",
            aria_label=self.description,
            class_="chart",
        )


def marker(x: float, y: float, series: int) -> Markup:
    """The marker of a series at a place in pixels."""
    index = series % NUM_SERIES
    return element(
        "path",
        d=MARKERS[index],
        transform=f"translate({x:.1f} {y:.1f})",
        class_=f"mark s{index}",
    )


def legend(names: Sequence[str]) -> Markup | None:
    """The names of line series, each with its line and marker."""
    if not any(names):
        return None
    items = []
    for series, name in enumerate(names):
        key = element(
            "svg",
            element("path", d="M1 6H27", class_=f"line s{series % NUM_SERIES}"),
            marker(14.0, 6.0, series),
            viewBox="0 0 28 12",
            class_="key",
            aria_hidden="true",
        )
        items.append(element("li", key, element("span", name)))
    return element("ul", items, class_="legend")


def swatches(names: dict[str, str]) -> Markup:
    """The names of filled areas, each with its class of rectangle."""
    items = [
        element(
            "li",
            element(
                "svg",
                element("rect", x=1, y=1, width=16, height=10, class_=kind),
                viewBox="0 0 18 12",
                class_="swatch",
                aria_hidden="true",
            ),
            element("span", name),
        )
        for kind, name in names.items()
    ]
    return element("ul", items, class_="legend")


def figure(
    title: str,
    *charts: Markup,
    key: Markup | None = None,
    note: str | None = None,
) -> Markup:
    """Charts with their caption above and their legend below them."""
    caption = element(
        "figcaption",
        element("b", title),
        element("span", note, class_="note") if note else None,
    )
    return element("figure", caption, element("div", charts), key)


def folded_figures(summary: str, figures: Sequence[Markup]) -> Markup:
    """Figures under a line that opens them."""
    return element(
        "details",
        element("summary", f"{summary}: {len(figures)}"),
        element("div", figures, class_="figures"),
        class_="wide",
    )
