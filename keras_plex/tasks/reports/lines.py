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


class Plane(NamedTuple):
    """What the axes of a figure show.

    Args:
        x_label: of the horizontal axis.
        y_label: of the vertical axis.
        x_range: of the horizontal axis. Defaults to that of the points.
        y_values: further numbers that the vertical axis has room for.
    """

    x_label: str
    y_label: str
    x_range: tuple[float, float] | None = None
    y_values: Sequence[float] = ()


def line_figures(
    title: str,
    lines: Mapping[str, Line],
    plane: Plane,
    *,
    note: str | None = None,
    marked: bool = True,
    is_keyed: bool = True,
) -> list[Markup]:
    """One figure, or several with equal axes where the lines are many.

    Args:
        title: of the figure.
        lines: by the name in the legend; one named `""` needs none.
        plane: what the axes show.
        note: below the title.
        marked: whether points have markers and their numbers on the axis.
        is_keyed: whether each figure has a legend.
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
        description = _description(heading, part, plane)
        chart = _frame(description, lines, plane, marked)
        _label(chart, lines, plane, marked)
        for series, line in enumerate(part.values()):
            chart.line(
                *line,
                kind=f"line s{series}",
                marker=series if marked else None,
            )
        key = legend(list(part)) if is_keyed or len(parts) > 1 else None
        figures.append(figure(heading, chart.render(), key=key, note=note))
    return figures


def series_figures(
    title: str,
    by_model: Mapping[str, Mapping[str, Line]],
    plane: Plane,
    *,
    note: str | None = None,
) -> list[Markup]:
    """The series of one model in one figure; of several models in one each.

    Figures of several models have equal axes, and no legend: that of the page
    names the models.

    Args:
        title: of the figure.
        by_model: by model, the lines by series.
        plane: what the axes show.
        note: below the title.
    """
    if len(by_model) == 1:
        [lines] = by_model.values()
        return line_figures(title, lines, plane, note=note)
    names = dict.fromkeys(name for one in by_model.values() for name in one)
    all_y = [
        y for one in by_model.values() for line in one.values() for y in line.y
    ]
    plane = plane._replace(y_values=[*plane.y_values, *all_y])
    return [
        one
        for name in names
        for one in line_figures(
            f"{title}: {name}" if name else title,
            {
                model: lines[name]
                for model, lines in by_model.items()
                if name in lines
            },
            plane,
            note=note,
            is_keyed=False,
        )
    ]


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
    plane: Plane,
    marked: bool,
) -> Chart:
    x = [value for line in lines.values() for value in line.x]
    y = [value for line in lines.values() for value in line.y]
    return Chart(
        description,
        x=plane.x_range or range_of(x),
        y=padded_range([*y, *plane.y_values]),
        x_scale="log" if marked and wants_log(x) else "linear",
    )


def _label(
    chart: Chart,
    lines: Mapping[str, Line],
    plane: Plane,
    marked: bool,
) -> None:
    places = {value for line in lines.values() for value in line.x}
    ticks = None
    if marked and (chart.x.scale == "log" or len(places) <= MAX_TICKED):
        ticks = ticks_at(filter(math.isfinite, places), chart.x, TICK_GAP)
    chart.label_axes(plane.x_label, plane.y_label, x_ticks=ticks)


def _description(title: str, lines: Mapping[str, Line], plane: Plane) -> str:
    ends = []
    for name, line in lines.items():
        points = [
            (tick_label(a), tick_label(b))
            for a, b in zip(*line, strict=True)
            if math.isfinite(a) and math.isfinite(b)
        ]
        (x0, y0), (x1, y1) = points[0], points[-1]
        ends.append(f"{name or 'from'} {y0} at {x0} to {y1} at {x1}")
    axes = f"{plane.y_label} against {plane.x_label}"
    return f"{title}: {axes}; {'; '.join(ends)}."
