"""How good a model becomes, the more labels it has."""

from collections.abc import Mapping
from typing import Any

from keras_plex.tasks.reports.lines import Line
from keras_plex.tasks.reports.lines import Plane
from keras_plex.tasks.reports.lines import numbers
from keras_plex.tasks.reports.lines import series_figures
from keras_plex.tasks.reports.markup import Markup
from keras_plex.tasks.reports.words import in_words
from keras_plex.tasks.reports.words import which_is_better

MEAN = "mean of the sets"


def draw_active_learning(curves: Mapping[str, Any]) -> list[Markup]:
    """Accuracy against labels, of each acquisition and model.

    Args:
        curves: by model `{"labels": [...], "margin": [...], ...}`, the
            accuracies by acquisition.
    """
    by_model = {
        model: {
            name: Line(numbers(curve["labels"]), numbers(accuracies))
            for name, accuracies in curve.items()
            if name != "labels"
        }
        for model, curve in curves.items()
    }
    return series_figures(
        "Accuracy as labels are added",
        by_model,
        Plane("Labelled examples", "Accuracy"),
        note="Further up and to the left is better.",
    )


def draw_few_shot(curves: Mapping[str, Any]) -> list[Markup]:
    """A figure for each measure, with a line for each set of examples.

    Args:
        curves: by model `{"shots": [...], "ece": [...], "SET/auroc": [...]}`.
    """
    measures = dict.fromkeys(
        name.rpartition("/")[2]
        for curve in curves.values()
        for name in curve
        if name != "shots"
    )
    return [
        one
        for measure in measures
        for one in series_figures(
            f"{in_words(measure)} after a few examples",
            {model: _lines(curve, measure) for model, curve in curves.items()},
            Plane("Examples of each class", in_words(measure)),
            note=which_is_better(measure),
        )
    ]


def _lines(curve: Mapping[str, Any], measure: str) -> dict[str, Line]:
    """By the name of the set; that of the mean, if there are several."""
    lines = {
        name.rpartition("/")[0]: Line(numbers(curve["shots"]), numbers(values))
        for name, values in curve.items()
        if name.rpartition("/")[2] == measure
    }
    if len(lines) == 1:
        return lines
    mean = lines.pop("", None)
    if mean is None or len(lines) == 1:
        return lines
    return {MEAN: mean, **lines}
