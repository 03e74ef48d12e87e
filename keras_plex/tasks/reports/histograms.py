"""Two kinds of examples in one histogram, told apart without colour."""

from collections.abc import Mapping
from typing import Any

from keras_plex.tasks.reports.axis import ticks_at
from keras_plex.tasks.reports.chart import Chart
from keras_plex.tasks.reports.chart import figure
from keras_plex.tasks.reports.chart import folded_figures
from keras_plex.tasks.reports.chart import swatches
from keras_plex.tasks.reports.markup import Markup

SHARES = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0)
TICK_GAP = 12.0


def draw_score_histograms(curves: Mapping[str, Any]) -> list[Markup]:
    """Scores of known and unknown examples.

    The first score of each set of unknown examples is shown, the others are
    folded below.

    Args:
        curves: by model, and there by `"SET/SCORE"`,
            `{"edges": ..., "known": ..., "unknown": ...}`.
    """
    first, others, seen = [], [], set()
    places = dict.fromkeys(where for one in curves.values() for where in one)
    for where in places:
        unknown, _, score = where.rpartition("/")
        shown = others if unknown in seen else first
        seen.add(unknown)
        for name, histograms in curves.items():
            if where in histograms:
                title = f"{score}: known against {unknown}"
                histogram = histograms[where]
                label = f"{score}; higher: more likely unknown"
                shown += _histogram(title, name, histogram, label)
    if not others:
        return first
    return [*first, folded_figures("Histograms of other scores", others)]


def draw_confidence(curves: Mapping[str, Any]) -> list[Markup]:
    """Confidence of right and of wrong predictions.

    Args:
        curves: by model `{"edges": ..., "right": ..., "wrong": ...}`.
    """
    return [
        one
        for name, histogram in curves.items()
        for one in _histogram(
            "Confidence of right and wrong predictions",
            name,
            histogram,
            "Confidence",
        )
    ]


def _histogram(
    title: str, model: str, histogram: Mapping[str, Any], x_label: str
) -> list[Markup]:
    edges = histogram["edges"]
    kinds = {key: one for key, one in histogram.items() if key != "edges"}
    highest = max((max(one, default=0) for one in kinds.values()), default=0)
    if not highest:
        return []
    title = f"{title} ({model})" if model else title
    described = " and ".join(kinds)
    chart = Chart(
        f"Histogram, {title}: share of the {described} examples in "
        f"{len(edges) - 1} bins from {edges[0]:.3g} to {edges[-1]:.3g}.",
        x=(edges[0], edges[-1]),
        y=(0, highest),
        y_scale="sqrt",
    )
    chart.label_axes(
        x_label,
        "Share of each kind, small ones enlarged",
        y_ticks=ticks_at((0, *SHARES), chart.y, TICK_GAP),
    )
    names = {}
    for number, (key, heights) in enumerate(kinds.items()):
        kind = f"area a{number}"
        chart.steps(edges, heights, kind)
        names[kind] = key
    return [figure(title, chart.render(), key=swatches(names))]
