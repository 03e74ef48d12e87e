"""How unsure the model is, against how much annotators disagree."""

from collections.abc import Mapping
from typing import Any

from keras_plex.tasks.reports.axis import padded_range
from keras_plex.tasks.reports.chart import Chart
from keras_plex.tasks.reports.chart import figure
from keras_plex.tasks.reports.lines import numbers
from keras_plex.tasks.reports.markup import Markup


def draw_entropies(curves: Mapping[str, Any]) -> list[Markup]:
    """A point for each example; on the diagonal both entropies are equal.

    Args:
        curves: by model `{"annotators": [...], "forecast": [...]}`.
    """
    ends = [
        value
        for curve in curves.values()
        for column in ("annotators", "forecast")
        for value in numbers(curve[column])
    ]
    if not ends:
        return []
    low, high = padded_range([0.0, *ends])
    return [
        _figure(model, curve, (low, high)) for model, curve in curves.items()
    ]


def _figure(
    model: str, curve: Mapping[str, Any], ends: tuple[float, float]
) -> Markup:
    title = f"Entropies ({model})" if model else "Entropies"
    x, y = numbers(curve["annotators"]), numbers(curve["forecast"])
    chart = Chart(
        f"{title}: of the forecast against that of the annotators' labels, "
        f"{len(x)} examples.",
        x=ends,
        y=ends,
        height=300.0,
    )
    chart.label_axes("Entropy of the annotators", "Entropy of the forecast")
    chart.line(ends, ends, kind="reference")
    for a, b in zip(x, y, strict=True):
        chart.add("circle", cx=chart.x(a), cy=chart.y(b), r=2.5, class_="speck")
    note = (
        f"{len(x):,} examples, in nats. On the line both are equal; below it "
        "the model is too sure."
    )
    return figure(title, chart.render(), note=note)
