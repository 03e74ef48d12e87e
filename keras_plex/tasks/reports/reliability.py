"""How often forecasts come true, for each stated confidence."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from keras_plex.plots.intervals import wilson_interval
from keras_plex.tasks.reports.axis import ticks_at
from keras_plex.tasks.reports.chart import NUM_SERIES
from keras_plex.tasks.reports.chart import Chart
from keras_plex.tasks.reports.chart import figure
from keras_plex.tasks.reports.chart import swatches
from keras_plex.tasks.reports.markup import Markup

QUARTERS = (0.0, 0.25, 0.5, 0.75, 1.0)
COUNTS = tuple(10**power for power in range(1, 9))
TICK_GAP = 11.0
# The accuracy of fewer examples is noise.
MIN_IN_LINE = 10


def draw_reliability(curves: Mapping[str, Any]) -> list[Markup]:
    """A reliability diagram of each model, with the counts of its bins.

    Args:
        curves: by model `{"weight": ..., "confidence": ..., "accuracy": ...}`,
            one number for each bin of equal width on [0, 1].
    """
    curves = {
        name: curve
        for name, curve in curves.items()
        if sum(curve["weight"]) > 0
    }
    most = max((max(one["weight"]) for one in curves.values()), default=0)
    overlaid = [_overlaid(curves)] if len(curves) > 1 else []
    each = [_figure(name, curve, most) for name, curve in curves.items()]
    return [*overlaid, *each]


def _overlaid(curves: Mapping[str, Any]) -> Markup:
    title = "Accuracy against confidence, all models"
    chart = Chart(
        f"{title}: {', '.join(curves)}; each has a diagram of its own.",
        x=(0, 1),
        y=(0, 1),
        height=262.0,
    )
    chart.label_axes(
        "Confidence", "Accuracy", x_ticks=QUARTERS, y_ticks=QUARTERS
    )
    chart.line((0, 1), (0, 1), kind="reference")
    for series, curve in enumerate(curves.values()):
        index = series % NUM_SERIES
        filled = np.flatnonzero(np.array(curve["weight"]) >= MIN_IN_LINE)
        chart.line(
            np.array(curve["confidence"])[filled].tolist(),
            np.array(curve["accuracy"])[filled].tolist(),
            kind=f"line s{index}",
            marker=index,
        )
    note = (
        "On the dashed line confidence is right; below it the model is too "
        f"sure. Bins of less than {MIN_IN_LINE} examples are left out."
    )
    return figure(title, chart.render(), note=note)


def _figure(name: str, curve: Mapping[str, Any], most: float) -> Markup:
    weight = np.array(curve["weight"], float)
    filled = np.flatnonzero(weight > 0)
    accuracy = np.array(curve["accuracy"], float)
    confidence = np.array(curve["confidence"], float)
    gap = np.average((confidence - accuracy)[filled], weights=weight[filled])
    kind = "above" if gap > 0 else "below"
    description = (
        f"Reliability diagram {name}: accuracy against confidence in "
        f"{len(weight)} bins. On average confidence is {abs(gap):.3f} {kind} "
        "accuracy."
    )
    chart = Chart(description, x=(0, 1), y=(0, 1), height=262.0)
    chart.label_axes(
        "Confidence", "Accuracy", x_ticks=QUARTERS, y_ticks=QUARTERS
    )
    edges = np.linspace(0, 1, len(weight) + 1)
    for i in filled:
        bin_edges = float(edges[i]), float(edges[i + 1])
        chart.bar(bin_edges, (0.0, accuracy[i]), "bar")
        chart.bar(bin_edges, (accuracy[i], confidence[i]), "gap")
    chart.line((0, 1), (0, 1), kind="reference")
    low, high = wilson_interval(accuracy[filled], weight[filled])
    for i, below, above in zip(filled, low, high, strict=True):
        center = float(edges[i] + edges[i + 1]) / 2
        chart.line((center, center), (below, above), kind="interval")
        chart.add(
            "circle",
            cx=chart.x(center),
            cy=chart.y(accuracy[i]),
            r=2.6,
            class_="dot",
        )
    return figure(
        f"Reliability diagram: {name}" if name else "Reliability diagram",
        chart.render(),
        _counts(weight, edges, most),
        key=swatches({"bar": "accuracy", "gap": "gap to confidence"}),
        note=(
            f"Confidence is {abs(gap):.3f} {kind} accuracy on average. "
            "Whiskers: 95 % intervals."
        ),
    )


def _counts(weight: np.ndarray, edges: np.ndarray, most: float) -> Markup:
    chart = Chart(
        f"Examples in each bin; the largest has {int(weight.max()):,}.",
        x=(0, 1),
        y=(0, most),
        y_scale="sqrt",
        height=110.0,
    )
    chart.label_axes(
        "Confidence",
        "Examples in each bin, small numbers enlarged",
        x_ticks=QUARTERS,
        y_ticks=ticks_at((0, *COUNTS, most), chart.y, TICK_GAP),
    )
    for i in np.flatnonzero(weight > 0):
        edge_pair = float(edges[i]), float(edges[i + 1])
        chart.bar(edge_pair, (0.0, weight[i]), "count")
    return chart.render()
