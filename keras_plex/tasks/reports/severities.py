"""What is left as corruptions grow worse."""

from collections.abc import Mapping
from typing import Any

from keras_plex.tasks.reports.lines import Line
from keras_plex.tasks.reports.lines import line_figures
from keras_plex.tasks.reports.lines import numbers
from keras_plex.tasks.reports.markup import Markup

SHOWN = {"accuracy": "Accuracy", "ece": "ECE"}


def draw_severities(curves: Mapping[str, Any]) -> list[Markup]:
    """Accuracy and ECE against severity: by corruption, or model by model.

    Args:
        curves: by model, and there by corruption,
            `{"severity": [...], "accuracy": [...], "ece": [...]}`.
    """
    if len(curves) == 1:
        [by_corruption] = curves.values()
        return _figures(by_corruption, "by corruption")
    means = {
        model: _mean_curve(by_corruption)
        for model, by_corruption in curves.items()
    }
    figures = _figures(means, "mean of the corruptions")
    first = next(iter(curves.values()))
    if len(first) == 1:
        return figures
    for corruption in first:
        one = {
            model: by_corruption[corruption]
            for model, by_corruption in curves.items()
            if corruption in by_corruption
        }
        figures += _figures(one, corruption, ("accuracy",))
    return figures


def _figures(
    by_name: Mapping[str, Any], what: str, measures: tuple = tuple(SHOWN)
) -> list[Markup]:
    return [
        one
        for measure in measures
        for one in line_figures(
            f"{SHOWN[measure]}, {what}",
            {
                name: Line(numbers(curve["severity"]), numbers(curve[measure]))
                for name, curve in by_name.items()
            },
            x_label="Severity; 0 is clean",
            y_label=SHOWN[measure],
        )
    ]


def _mean_curve(by_corruption: Mapping[str, Any]) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    curves = list(by_corruption.values())
    for column in ("severity", *SHOWN):
        rows = [numbers(curve[column]) for curve in curves]
        found[column] = [
            sum(values) / len(values) for values in zip(*rows, strict=True)
        ]
    return found
