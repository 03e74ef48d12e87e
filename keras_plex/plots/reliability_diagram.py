"""Accuracy against confidence, bin by bin."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from keras_plex.metrics.arrays import CalibrationBins
from keras_plex.metrics.arrays import calibration_bins
from keras_plex.metrics.arrays import expected_calibration_error
from keras_plex.plots.figures import DARK
from keras_plex.plots.figures import HATCH
from keras_plex.plots.figures import INK
from keras_plex.plots.figures import LIGHT
from keras_plex.plots.figures import Forecasts
from keras_plex.plots.figures import by_name
from keras_plex.plots.figures import legend_below
from keras_plex.plots.figures import new_figure
from keras_plex.plots.figures import probabilities_of
from keras_plex.plots.figures import required_labels
from keras_plex.plots.figures import short_counts
from keras_plex.plots.figures import tidy
from keras_plex.plots.figures import titled
from keras_plex.plots.intervals import wilson_interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MAX_COLUMNS = 4


def reliability_diagram(
    predictions: Forecasts | Mapping[str, Forecasts],
    labels: ArrayLike,
    *,
    num_bins: int = 15,
) -> "Figure":
    """Draws how often forecasts come true, for each stated confidence.

    Each bar is the accuracy of the examples whose confidence lies in the bin,
    with its 95 % confidence interval (Wilson's). The hatched part is the gap
    to their mean confidence: where it hangs below the dashed diagonal the
    model is overconfident. The gaps, weighted by the number of examples in
    the lower panel, are the expected calibration error in the title.

    Args:
        predictions: `Predictions`, or probabilities `(examples, classes)`; or
            several by name, `{"base": ..., "plex": ...}`, drawn side by side,
            four in a row.
        labels: `(examples,)` or `(examples, classes)`, as for
            `expected_calibration_error`.
        num_bins: number of bins of equal width on [0, 1]. Defaults to 15.

    Returns:
        A matplotlib `Figure` that belongs to no window and no global state:
        `figure.savefig("reliability.png")`; a notebook shows it.

    Example:

    >>> probabilities = np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7]])
    >>> figure = reliability_diagram(probabilities, [0, 1, 1])
    >>> figure.axes[0].get_title()
    'ECE 0.400'

    Reference:
        DeGroot and Fienberg, 1983, "The comparison and evaluation of
        forecasters". Intervals: Wilson, 1927, "Probable inference, the law of
        succession, and statistical inference".
    """
    forecasts_by_name = by_name(predictions)
    labels = required_labels(labels, "reliability diagram")
    panels, figure = _panels(len(forecasts_by_name))
    for (name, forecasts), (upper, lower) in zip(
        forecasts_by_name.items(), panels, strict=True
    ):
        probabilities = probabilities_of(forecasts)
        bins = calibration_bins(labels, probabilities, num_bins=num_bins)
        error = expected_calibration_error(
            labels, probabilities, num_bins=num_bins
        )
        _draw_accuracy(upper, bins)
        _draw_counts(lower, bins)
        upper.set_title(titled(name, f"ECE {error:.3f}"), fontsize="medium")
    num_columns = min(4, 2 * len(panels))
    legend_below(figure, panels[0][0], num_columns=num_columns)
    return figure


def _panels(count: int) -> tuple[list[tuple["Axes", "Axes"]], "Figure"]:
    """Pairs of panels, four pairs in a row, and their figure."""
    columns = min(count, MAX_COLUMNS)
    rows = -(-count // columns)
    figure = new_figure(0.6 + 4.0 * columns, 0.8 + 4.8 * rows)
    grid = figure.subplots(
        2 * rows,
        columns,
        sharex=True,
        squeeze=False,
        height_ratios=(3, 1) * rows,
    )
    panels = [
        (grid[2 * row, column], grid[2 * row + 1, column])
        for row in range(rows)
        for column in range(columns)
    ]
    for upper, lower in panels[count:]:
        upper.remove()
        lower.remove()
    for index, (upper, lower) in enumerate(panels[:count]):
        # Counts of one data set: one scale makes them comparable.
        lower.sharey(panels[0][1])
        lower.set_xlabel("Confidence")
        lower.tick_params(labelbottom=True)
        is_first = index % columns == 0
        upper.tick_params(labelleft=is_first)
        lower.tick_params(labelleft=is_first)
        if is_first:
            upper.set_ylabel("Accuracy")
            lower.set_ylabel("Examples")
    return panels[:count], figure


def _draw_accuracy(axes: "Axes", bins: CalibrationBins) -> None:
    width, centers = _grid(bins)
    filled = bins.weight > 0
    centers, weight = centers[filled], bins.weight[filled]
    accuracy, confidence = bins.accuracy[filled], bins.confidence[filled]
    axes.bar(
        centers,
        accuracy,
        width,
        color=LIGHT,
        edgecolor=INK,
        linewidth=0.6,
        label="Accuracy",
    )
    axes.bar(
        centers,
        confidence - accuracy,
        width,
        bottom=accuracy,
        color="none",
        edgecolor=DARK,
        hatch=HATCH,
        linewidth=0.8,
        label="Gap to confidence",
    )
    low, high = wilson_interval(accuracy, weight)
    axes.errorbar(
        centers,
        accuracy,
        yerr=(accuracy - low, high - accuracy),
        fmt="o",
        color=INK,
        markersize=3,
        capsize=2.5,
        linewidth=1.0,
        clip_on=False,
        label="95 % interval",
    )
    axes.plot(
        (0, 1), (0, 1), "--", color=INK, linewidth=1.0, label="Calibrated"
    )
    axes.set(xlim=(0, 1), ylim=(0, 1))
    tidy(axes)


def _draw_counts(axes: "Axes", bins: CalibrationBins) -> None:
    width, centers = _grid(bins)
    axes.bar(
        centers,
        bins.weight,
        width,
        color="#bdbdbd",
        edgecolor=INK,
        linewidth=0.6,
    )
    short_counts(axes.yaxis)
    tidy(axes)


def _grid(bins: CalibrationBins) -> tuple[float, np.ndarray]:
    """Width and centers of the bins."""
    num_bins = len(bins.weight)
    return 1.0 / num_bins, (np.arange(num_bins) + 0.5) / num_bins
