"""The table of curves that tasks give, and how each is drawn."""

from collections.abc import Callable
from collections.abc import Mapping
from typing import Any

from keras_plex.tasks.reports.adaptation import draw_active_learning
from keras_plex.tasks.reports.adaptation import draw_few_shot
from keras_plex.tasks.reports.groups import draw_groups
from keras_plex.tasks.reports.groups import draw_shifted
from keras_plex.tasks.reports.histograms import draw_confidence
from keras_plex.tasks.reports.histograms import draw_score_histograms
from keras_plex.tasks.reports.lines import Line
from keras_plex.tasks.reports.lines import Plane
from keras_plex.tasks.reports.lines import line_figures
from keras_plex.tasks.reports.lines import numbers
from keras_plex.tasks.reports.markup import Markup
from keras_plex.tasks.reports.reliability import draw_reliability
from keras_plex.tasks.reports.risk_coverage import draw_risk_coverage
from keras_plex.tasks.reports.scatter import draw_entropies
from keras_plex.tasks.reports.severities import draw_severities
from keras_plex.tasks.reports.words import in_words

# The name of a curve -> what draws that of each model, by the model's name.
DRAWERS: dict[str, Callable[[Mapping[str, Any]], list[Markup]]] = {
    "reliability": draw_reliability,
    "confidence": draw_confidence,
    "risk_coverage": draw_risk_coverage,
    "score_histograms": draw_score_histograms,
    "severities": draw_severities,
    "shifted": draw_shifted,
    "groups": draw_groups,
    "entropies": draw_entropies,
    "active_learning": draw_active_learning,
    "few_shot": draw_few_shot,
}
# Those that each model has figures of its own for.
BY_MODEL = frozenset({"confidence", "score_histograms", "entropies"})


def draw_curves(curves: Mapping[str, Mapping[str, Any]]) -> list[Markup]:
    """Figures of all curves of a task.

    What `DRAWERS` does not know is drawn as lines, where it is made of lists:
    the first list of a dict is the horizontal axis, each other of its length a
    line, and a dict of such lists lines in one figure.

    Args:
        curves: by model, the `curves` of its result.
    """
    figures, others = [], {}
    for model, by_name in curves.items():
        others[model] = {
            name: one for name, one in by_name.items() if name not in DRAWERS
        }
    for name, draw in DRAWERS.items():
        found = {
            model: by_name[name]
            for model, by_name in curves.items()
            if by_name.get(name)
        }
        if found:
            figures += draw(found)
    return [*figures, *_draw_lines(others)]


def shares_figures(curves: Mapping[str, Mapping[str, Any]]) -> bool:
    """Whether models are told apart within a figure, by a legend."""
    return any(set(by_name) - BY_MODEL for by_name in curves.values())


def _draw_lines(curves: Mapping[str, Any]) -> list[Markup]:
    panels: dict[tuple[str, str], dict[str, Line]] = {}
    for model, tree in curves.items():
        for x_label, y_label, name, line in _find_lines(tree):
            panel = panels.setdefault((x_label, y_label), {})
            both = [part for part in (model, name) if part]
            panel[", ".join(both)] = line
    return [
        one
        for (x_label, y_label), lines in panels.items()
        for one in line_figures(
            f"{in_words(y_label)} against {in_words(x_label).lower()}",
            lines,
            Plane(in_words(x_label), in_words(y_label)),
        )
    ]


def _find_lines(tree: Any) -> list[tuple[str, str, str, Line]]:
    """Labels of both axes, name and points of each line."""
    if not isinstance(tree, Mapping):
        return []
    lists = {name: one for name, one in tree.items() if _is_numbers(one)}
    found = []
    if lists:
        x_label, x = next(iter(lists.items()))
        for name, values in tree.items():
            if name == x_label:
                continue
            series = values if isinstance(values, Mapping) else {"": values}
            found += [
                (x_label, name, key, Line(numbers(x), numbers(one)))
                for key, one in series.items()
                if _is_numbers(one) and len(one) == len(x)
            ]
        return found
    return [line for one in tree.values() for line in _find_lines(one)]


def _is_numbers(values: Any) -> bool:
    return (
        isinstance(values, (list, tuple))
        and len(values) > 0
        and all(
            value is None or isinstance(value, (int, float)) for value in values
        )
    )
