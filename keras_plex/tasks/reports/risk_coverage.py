"""How many errors are left among the forecasts that the model keeps."""

from collections.abc import Mapping
from typing import Any

from keras_plex.tasks.reports.lines import Line
from keras_plex.tasks.reports.lines import Plane
from keras_plex.tasks.reports.lines import line_figures
from keras_plex.tasks.reports.lines import numbers
from keras_plex.tasks.reports.markup import Markup


def draw_risk_coverage(curves: Mapping[str, Any]) -> list[Markup]:
    """A risk-coverage curve for each model.

    Args:
        curves: by model `{"coverage": [...], "risk": [...]}`.
    """
    lines = {
        model: Line(numbers(curve["coverage"]), numbers(curve["risk"]))
        for model, curve in curves.items()
    }
    return line_figures(
        "Risk against coverage",
        lines,
        Plane("Coverage: share that is answered", "Error rate", (0.0, 1.0)),
        note="The surest forecasts are kept; lower is better.",
        marked=False,
        is_keyed=False,
    )
