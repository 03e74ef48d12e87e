"""The accuracy of each group, the worst on top."""

from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_plex.plots.intervals import wilson_interval
from keras_plex.tasks.reports.axis import nice_ticks
from keras_plex.tasks.reports.axis import padded_range
from keras_plex.tasks.reports.axis import tick_label
from keras_plex.tasks.reports.chart import NUM_SERIES
from keras_plex.tasks.reports.chart import WIDTH
from keras_plex.tasks.reports.chart import Chart
from keras_plex.tasks.reports.chart import figure
from keras_plex.tasks.reports.chart import marker
from keras_plex.tasks.reports.markup import Markup
from keras_plex.tasks.reports.markup import element

MAX_GROUPS = 20
NAME_ROW, MODEL_ROW = 24.0, 9.0
TOP = 4.0
LEFT = 4.0
MAX_NAME = 46


def draw_groups(curves: Mapping[str, Any]) -> list[Markup]:
    """Accuracies with their 95 % intervals; of one model or of several.

    Args:
        curves: by model
            `{"names": [...], "weight": [...], "accuracy": [...]}`.
    """
    return _draw(curves, "Accuracy by group", "groups")


def draw_shifted(curves: Mapping[str, Any]) -> list[Markup]:
    """The same of shifted data sets."""
    return _draw(curves, "Accuracy by data set", "data sets")


def _draw(curves: Mapping[str, Any], title: str, kind: str) -> list[Markup]:
    tables = {
        model: dict(
            zip(
                curve["names"],
                zip(curve["accuracy"], curve["weight"], strict=True),
                strict=True,
            )
        )
        for model, curve in curves.items()
    }
    first = next(iter(tables.values()))
    if not first:
        return []
    names = sorted(first, key=lambda name: first[name][0])
    shown = names[:MAX_GROUPS]
    note = None
    if len(shown) < len(names):
        note = f"The {len(shown)} worst of {len(names)} {kind}."
    chart = _chart(title, shown, tables, len(names))
    return [figure(title, chart.render(), note=note)]


def _chart(
    title: str, names: Sequence[str], tables: Mapping[str, Any], total: int
) -> Chart:
    points = {
        model: [_interval(table.get(name)) for name in names]
        for model, table in tables.items()
    }
    ends = [end for rows in points.values() for row in rows for end in row]
    worst = next(iter(points.values()))[0][1]
    # The axes of this chart: accuracy across, groups down.
    row_height = NAME_ROW + MODEL_ROW * len(points)
    bottom = TOP + row_height * len(names)
    chart = Chart(
        f"{title}: {total} in all. The worst is {names[0]} with {worst:.3f}.",
        x=padded_range(ends),
        y=(0.0, 1.0),
        height=bottom + 38.0,
        left=LEFT,
    )
    for value in nice_ticks(chart.x.low, chart.x.high):
        x = chart.x(value)
        chart.add("path", d=f"M{x:.1f} {TOP}V{bottom}", class_="grid")
        chart.text(x, bottom + 16, tick_label(value), "middle")
    chart.text(WIDTH / 2, bottom + 33, "Accuracy", "middle", "label")
    for row, name in enumerate(names):
        y = TOP + row_height * row
        chart.add(
            "text",
            element("title", name),
            shortened(name),
            x=LEFT,
            y=y + 12,
            class_="label",
        )
        for series, rows in enumerate(points.values()):
            _draw_row(chart, rows[row], y + 22 + MODEL_ROW * series, series)
    return chart


def _interval(row: tuple[float, float] | None) -> tuple[float, float, float]:
    """Lower end, accuracy, upper end."""
    if row is None:
        return np.nan, np.nan, np.nan
    accuracy, weight = row
    low, high = wilson_interval(np.array([accuracy]), np.array([weight]))
    return float(low[0]), float(accuracy), float(high[0])


def _draw_row(
    chart: Chart,
    interval: tuple[float, float, float],
    y: float,
    series: int,
) -> None:
    if not np.isfinite(interval[1]):
        return
    low, middle, high = map(chart.x, interval)
    chart.add(
        "path",
        d=f"M{low:.1f} {y:.1f}H{high:.1f}",
        class_=f"thin s{series % NUM_SERIES}",
    )
    chart.parts.append(marker(middle, y, series))


def shortened(name: str) -> str:
    """A name that fits; names differ at their ends, so the middle is left out.

    Example:

    >>> len(shortened("hospital" * 10 + "7")), shortened("short")
    (47, 'short')
    """
    if len(name) <= MAX_NAME:
        return name
    half = MAX_NAME // 2
    return f"{name[:half]}…{name[-half:]}"
