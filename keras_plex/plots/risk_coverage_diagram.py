"""What a model gains when it may leave out the forecasts it is unsure of."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from keras_plex.metrics.selective_prediction import risk_coverage_auc
from keras_plex.metrics.selective_prediction import risk_coverage_curve
from keras_plex.plots.figures import GREY
from keras_plex.plots.figures import Forecasts
from keras_plex.plots.figures import by_name
from keras_plex.plots.figures import legend_below
from keras_plex.plots.figures import line_style
from keras_plex.plots.figures import new_figure
from keras_plex.plots.figures import probabilities_of
from keras_plex.plots.figures import required_labels
from keras_plex.plots.figures import thinned
from keras_plex.plots.figures import tidy
from keras_plex.plots.figures import titled
from keras_plex.plots.intervals import wilson_interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Below this coverage so few examples are left that chance sets the curve.
MIN_COVERAGE = 0.05
MAX_REFERENCES = 3


def risk_coverage_diagram(
    predictions: Forecasts | Mapping[str, Forecasts], labels: ArrayLike
) -> "Figure":
    """Draws the error rate among the most confident share of the forecasts.

    From right to left, more and more of the least confident forecasts are left
    out, and the error rate of the others should fall. The area under the curve
    is the AURC in the legend. Two references: a model whose confidence says
    nothing keeps its error rate (random), and one that leaves out its wrong
    forecasts first (oracle) reaches `max(0, 1 - accuracy / coverage)`, below
    which no order of the same forecasts can fall. The band around a single
    curve is its pointwise 95 % confidence interval (Wilson's).

    Args:
        predictions: `Predictions`, or probabilities `(examples, classes)`; or
            several by name, `{"base": ..., "plex": ...}`. Up to three have
            their own references, thin lines of their colour; of more, only
            the one with the lowest error rate has.
        labels: `(examples,)` or `(examples, classes)`, as for
            `risk_coverage_auc`.

    Returns:
        A matplotlib `Figure` that belongs to no window and no global state.

    Example:

    >>> probabilities = np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7]])
    >>> figure = risk_coverage_diagram(probabilities, [0, 0, 0])
    >>> figure.axes[0].get_xlabel()
    'Coverage: share of forecasts kept'

    Reference:
        Geifman and El-Yaniv, 2017, "Selective classification for deep neural
        networks".
    """
    named = by_name(predictions)
    labels = required_labels(labels, "risk-coverage diagram")
    figure = new_figure(5.6, 4.4)
    axes = figure.subplots()
    tops, error_rates = [], []
    for index, (name, forecasts) in enumerate(named.items()):
        probabilities = probabilities_of(forecasts)
        coverage, risk = risk_coverage_curve(labels, probabilities)
        area = risk_coverage_auc(labels, probabilities)
        if len(named) == 1:
            _draw_interval(axes, coverage, risk, len(probabilities))
        kept = thinned(len(coverage))
        axes.plot(
            coverage[kept],
            risk[kept],
            **line_style(index),
            label=titled(name, f"AURC {area:.4f}"),
            zorder=3,
        )
        error_rates.append(float(risk[-1]))
        tops.append(np.max(risk[coverage >= MIN_COVERAGE]))
    _draw_references(axes, error_rates)
    axes.set(
        xlim=(0, 1),
        ylim=(0, min(1.15 * max(tops), 1.0) or 1.0),
        xlabel="Coverage: share of forecasts kept",
        ylabel="Error rate of those kept",
    )
    tidy(axes)
    num_columns = 1 if max(map(len, named)) > 12 else 2
    legend_below(figure, axes, num_columns=num_columns)
    _make_room_for_legend(figure, num_columns)
    return figure


def _draw_interval(
    axes: "Axes", coverage: np.ndarray, risk: np.ndarray, num_examples: int
) -> None:
    kept = thinned(len(coverage))
    count = np.maximum(coverage[kept] * num_examples, 1.0)
    low, high = wilson_interval(risk[kept], count)
    axes.fill_between(
        coverage[kept],
        low,
        high,
        color="#d5dde8",
        linewidth=0,
        label="95 % interval",
    )


def _draw_references(axes: "Axes", error_rates: list[float]) -> None:
    colors = [line_style(index)["color"] for index in range(len(error_rates))]
    if len(error_rates) == 1 or len(error_rates) > MAX_REFERENCES:
        error_rates, colors = [min(error_rates)], [GREY]
    coverage = np.linspace(0.001, 1.0, 500)
    for error_rate, color in zip(error_rates, colors, strict=True):
        is_first = color == colors[0]
        oracle = np.maximum(0.0, 1.0 - (1.0 - error_rate) / coverage)
        for risk, dashes, name in (
            (np.full_like(coverage, error_rate), ":", "Random order"),
            (oracle, "-.", "Oracle's order"),
        ):
            axes.plot(
                coverage,
                risk,
                linestyle=dashes,
                color=color,
                linewidth=1.0,
                zorder=2,
                label=name if is_first else None,
            )


def _make_room_for_legend(figure: "Figure", num_columns: int) -> None:
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    num_lines = sum(name.count("\n") + 1 for name in names) / num_columns
    figure.set_figheight(3.9 + 0.2 * num_lines)
