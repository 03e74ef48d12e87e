"""Accuracy against confidence, bin by bin."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from keras_plex.metrics.arrays import CalibrationBins
from keras_plex.metrics.arrays import calibration_bins
from keras_plex.predictions import Predictions

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Forecasts = Predictions | ArrayLike

# Told apart by lightness and hatching where colour is not seen.
ACCURACY = "#9ecae1"
GAP = "#b2182b"
INK = "#222222"


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
            several by name, `{"base": ..., "plex": ...}`, drawn side by side.
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
    Figure = _figure_class()
    if not isinstance(predictions, Mapping):
        predictions = {"": predictions}
    if not predictions:
        raise ValueError("`predictions` is empty: there is nothing to draw.")
    figure = Figure(
        figsize=(0.6 + 4.0 * len(predictions), 5.6), layout="constrained"
    )
    panels = figure.subplots(
        2,
        len(predictions),
        sharex=True,
        sharey="row",
        squeeze=False,
        height_ratios=(3, 1),
    )
    for (name, forecasts), (upper, lower) in zip(
        predictions.items(), panels.T, strict=True
    ):
        if isinstance(forecasts, Predictions):
            forecasts = forecasts.probabilities
        bins = calibration_bins(labels, forecasts, num_bins=num_bins)
        _draw_accuracy(upper, bins)
        _draw_counts(lower, bins)
        title = f"ECE {_ece(bins):.3f}"
        upper.set_title(f"{name}: {title}" if name else title)
    panels[0, 0].set_ylabel("Accuracy")
    panels[1, 0].set_ylabel("Examples")
    # Outside the panels, where no interval crosses it.
    handles, names = panels[0, 0].get_legend_handles_labels()
    figure.legend(
        handles,
        names,
        loc="outside lower center",
        ncols=min(4, 2 * len(predictions)),
        frameon=False,
        fontsize="small",
    )
    return figure


def wilson_interval(
    share: np.ndarray, count: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The 95 % confidence interval of a probability seen as `share` of `count`.

    Args:
        share: of successes, in [0, 1].
        count: of trials, positive.
    """
    z = 1.959964  # the 97.5 % point of the normal distribution
    scale = 1.0 + z**2 / count
    center = (share + z**2 / (2.0 * count)) / scale
    half = np.sqrt(share * (1.0 - share) / count + (z / (2.0 * count)) ** 2)
    half = z * half / scale
    return np.clip(center - half, 0, share), np.clip(center + half, share, 1)


def _figure_class() -> "type[Figure]":
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError(
            "A reliability diagram needs matplotlib. Install it with "
            '`pip install "keras_plex[plots]"`.'
        ) from error
    return Figure


def _ece(bins: CalibrationBins) -> float:
    gaps = np.abs(bins.accuracy - bins.confidence)
    return float(np.nansum(bins.weight * gaps) / np.sum(bins.weight))


def _draw_accuracy(axes: "Axes", bins: CalibrationBins) -> None:
    width, centers = _grid(bins)
    filled = bins.weight > 0
    centers, weight = centers[filled], bins.weight[filled]
    accuracy, confidence = bins.accuracy[filled], bins.confidence[filled]
    axes.bar(
        centers,
        accuracy,
        width,
        color=ACCURACY,
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
        edgecolor=GAP,
        hatch="///",
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
    axes.spines[["top", "right"]].set_visible(False)


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
    axes.set_xlabel("Confidence")
    axes.spines[["top", "right"]].set_visible(False)


def _grid(bins: CalibrationBins) -> tuple[float, np.ndarray]:
    """Width and centers of the bins."""
    num_bins = len(bins.weight)
    return 1.0 / num_bins, (np.arange(num_bins) + 0.5) / num_bins
