"""What is left as corruptions grow worse."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from keras_plex.tasks.reports.chart import folded_figures
from keras_plex.tasks.reports.lines import Line
from keras_plex.tasks.reports.lines import Plane
from keras_plex.tasks.reports.lines import numbers
from keras_plex.tasks.reports.lines import series_figures
from keras_plex.tasks.reports.markup import Markup
from keras_plex.tasks.reports.words import in_words
from keras_plex.tasks.reports.words import which_is_better

SHOWN = ("accuracy", "ece")


def draw_severities(curves: Mapping[str, Any]) -> list[Markup]:
    """Accuracy and ECE against severity, the worst corruptions first.

    Of several models the means are shown, and each corruption folded below.

    Args:
        curves: by model, and there by corruption,
            `{"severity": [...], "accuracy": [...], "ece": [...]}`.
    """
    first = next(iter(curves.values()))
    order = sorted(first, key=lambda name: np.mean(first[name]["accuracy"]))
    curves = {
        model: {name: one[name] for name in order if name in one}
        for model, one in curves.items()
    }
    if len(curves) == 1:
        order_note = " The worst corruptions first." if len(order) > 1 else ""
        return _figures(curves, "by corruption", note=order_note)
    means = {model: {"": _mean_curve(one)} for model, one in curves.items()}
    figures = _figures(means, "mean of the corruptions")
    if len(order) == 1:
        return figures
    each = _figures(curves, "by corruption", measures=("accuracy",))
    return [*figures, folded_figures("Each corruption, the worst first", each)]


def _figures(
    curves: Mapping[str, Mapping[str, Any]],
    what: str,
    *,
    measures: tuple[str, ...] = SHOWN,
    note: str = "",
) -> list[Markup]:
    return [
        one
        for measure in measures
        for one in series_figures(
            f"{in_words(measure)}, {what}",
            {
                model: {
                    name: Line(
                        numbers(curve["severity"]), numbers(curve[measure])
                    )
                    for name, curve in by_name.items()
                }
                for model, by_name in curves.items()
            },
            Plane("Severity; 0 is clean", in_words(measure)),
            note=which_is_better(measure) + note,
        )
    ]


def _mean_curve(by_corruption: Mapping[str, Any]) -> dict[str, list[float]]:
    return {
        column: np.mean(
            [numbers(curve[column]) for curve in by_corruption.values()], axis=0
        ).tolist()
        for column in ("severity", *SHOWN)
    }
