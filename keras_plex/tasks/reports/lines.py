"""Line charts: how a number changes with another, for several series."""

import math
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import NamedTuple

from keras_plex.tasks.reports.axis import padded_range
from keras_plex.tasks.reports.axis import range_of
from keras_plex.tasks.reports.axis import tick_label
from keras_plex.tasks.reports.axis import ticks_at
from keras_plex.tasks.reports.axis import wants_log
from keras_plex.tasks.reports.chart import NUM_SERIES
from keras_plex.tasks.reports.chart import Chart
from keras_plex.tasks.reports.chart import figure
from keras_plex.tasks.reports.chart import legend
from keras_plex.tasks.reports.markup import Markup

MAX_TICKED = 12
TICK_GAP = 34.0


class Line(NamedTuple):
    """Points of one series; not all need be finite."""

    x: Sequence[float]
    y: Sequence[float]


def line_figures(
    title: str,
    lines: Mapping[str, Line],
    *,
    x_label: str,
    y_label: str,
    x_range: tuple[float, float] | None = None,
    note: str | None = None,
    marked: bool = True,
) -> list[Markup]:
    """One figure, or several with equal axes where the lines are many.

    Args:
        title: of the figure.
        lines: by the name in the legend; one named `""` needs none.
        x_label: what is on the horizontal axis.
        y_label: what is on the vertical axis.
        x_range: of the horizontal axis. Defaults to that of the points.
        note: below the title.
        marked: whether points have markers and their numbers on the axis.
    """
    lines = {name: line for name, line in lines.items() if _is_drawable(line)}
    if not lines:
        return []
    names = list(lines)
    parts = [
        {name: lines[name] for name in names[start : start + NUM_SERIES]}
        for start in range(0, len(names), NUM_SERIES)
    ]
    figures = []
    for number, part in enumerate(parts, start=1):
        heading = title
        if len(parts) > 1:
            heading = f"{title} ({number} of {len(parts)})"
        description = _description(heading, part, x_label, y_label)
        chart = _frame(description, lines, x_range, marked)
        _label(chart, lines, x_label, y_label, marked)
        for series, line in enumerate(part.values()):
            chart.line(
                *line,
                kind=f"line s{series}",
                marker=series if marked else None,
            )
        figures.append(
            figure(heading, chart.render(), legend(list(part)), note=note)
        )
    return figures


def numbers(values: Sequence[Any]) -> list[float]:
    """Numbers; `None`, as JSON has it, is NaN."""
    return [math.nan if value is None else float(value) for value in values]


def _is_drawable(line: Line) -> bool:
    return any(
        math.isfinite(a) and math.isfinite(b)
        for a, b in zip(*line, strict=True)
    )


def _frame(
    description: str,
    lines: Mapping[str, Line],
    x_range: tuple[float, float] | None,
    marked: bool,
) -> Chart:
    x = [value for line in lines.values() for value in line.x]
    y = [value for line in lines.values() for value in line.y]
    is_log = marked and wants_log(x)
    return Chart(
        description,
        x=x_range or range_of(x),
        y=padded_range(y),
        is_log=is_log,
    )


def _label(
    chart: Chart,
    lines: Mapping[str, Line],
    x_label: str,
    y_label: str,
    marked: bool,
) -> None:
    places = {value for line in lines.values() for value in line.x}
    ticks = None
    if marked and (chart.x.is_log or len(places) <= MAX_TICKED):
        ticks = ticks_at(filter(math.isfinite, places), chart.x, TICK_GAP)
    chart.label_axes(x_label, y_label, x_ticks=ticks)


def _description(
    title: str, lines: Mapping[str, Line], x_label: str, y_label: str
) -> str:
    ends = []
    for name, line in lines.items():
        points = [
            (tick_label(a), tick_label(b))
            for a, b in zip(*line, strict=True)
            if math.isfinite(a) and math.isfinite(b)
        ]
        (x0, y0), (x1, y1) = points[0], points[-1]
        ends.append(f"{name or 'from'} {y0} at {x0} to {y1} at {x1}")
    return f"{title}: {y_label} against {x_label}; {'; '.join(ends)}."
