"""Two kinds of examples in one histogram, told apart without colour."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from keras_plex.plots.figures import DARK
from keras_plex.plots.figures import HATCH
from keras_plex.plots.figures import INK
from keras_plex.plots.figures import LIGHT
from keras_plex.plots.figures import tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NUM_BINS = 31  # odd: equal values are in the middle of a bin
STYLES = (
    {"fill": True, "facecolor": LIGHT, "edgecolor": INK, "linewidth": 0.8},
    {"hatch": HATCH, "facecolor": "none", "edgecolor": DARK, "linewidth": 1.4},
)


def draw_histograms(axes: "Axes", values: Mapping[str, np.ndarray]) -> None:
    """Draws the share of the examples of each kind that falls into a bin.

    Args:
        axes: where to draw.
        values: dict from name, for the legend, to `(examples,)`; one or two.
            The first is filled, the second hatched in front of it. Either may
            be empty.
    """
    edges = bin_edges(np.concatenate(list(values.values())))
    for (name, kind), style in zip(values.items(), STYLES, strict=False):
        axes.stairs(shares(kind, edges), edges, label=name, **style)
    axes.set(xlim=(edges[0], edges[-1]), ylabel="Share of examples")
    axes.set_ylim(bottom=0)
    axes.locator_params(axis="x", nbins=5)
    tidy(axes)


def bin_edges(values: np.ndarray) -> np.ndarray:
    """The edges of 31 bins of equal width over `values`.

    A few far values do not squeeze the others into one bin: beyond three times
    the range of the middle 98 %, values belong to the end bins.
    """
    finite = values[np.isfinite(values)].astype("float64")
    if not finite.size:
        finite = np.zeros(1)
    low, high = np.quantile(finite, (0.01, 0.99))
    reach = 3.0 * (high - low) or np.inf
    low = max(finite.min(), low - reach)
    high = min(finite.max(), high + reach)
    if 0 < low < 0.05 * (high - low):
        low = 0.0
    # Equal values, or hardly a float between two of them: one bin holds all.
    smallest = 1e-6 * max(abs(low), abs(high))
    if high - low <= smallest:
        half = max(0.5, smallest)
        low, high = low - half, high + half
    return np.linspace(low, high, NUM_BINS + 1)


def shares(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Share of the values in each bin; the end bins hold what lies beyond."""
    inside = np.clip(values, edges[0], edges[-1])
    counts, _ = np.histogram(inside, edges)
    return counts / max(len(values), 1)
