"""What all diagrams share: a figure, series told apart, names that fit."""

import textwrap
from collections.abc import Mapping
from typing import TYPE_CHECKING
from typing import Any
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike

from keras_plex.predictions import Predictions

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

Forecasts = Predictions | ArrayLike
Item = TypeVar("Item")

# A pair of fills: far apart in lightness, and only the dark one is hatched.
LIGHT = "#9ecae1"
DARK = "#b2182b"
HATCH = "////"
INK = "#222222"
GREY = "#6e6e6e"

# Lines: lightness (CIE L*) 21, 38, 58, 74. Dashes and markers differ too, so
# that no line is known by its colour alone.
LINE_COLORS = ("#08306b", "#b2182b", "#4292c6", "#e0b030")
DASHES = ("-", (0, (5, 1.5)), (0, (5, 1.5, 1, 1.5)), (0, (1, 1)))
MARKERS = ("o", "s", "^", "D", "v", "P", "X")

NAME_LINE = 28
MAX_NAME = 50
MAX_POINTS = 2000


def new_figure(width: float, height: float) -> "Figure":
    """A figure in no window and in no global state; sizes in inches.

    Raises:
        ModuleNotFoundError: without matplotlib, with the pip line.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ModuleNotFoundError(
            "A diagram needs matplotlib. Install it with "
            '`pip install "keras_plex[plots]"`.',
            name="matplotlib",
        ) from error
    return Figure(figsize=(width, height), layout="constrained")


def by_name(
    items: Item | Mapping[Any, Item], argument: str = "predictions"
) -> dict[str, Item]:
    """One item as `{"": item}`; several by name, which any name becomes."""
    named = dict(items) if isinstance(items, Mapping) else {"": items}
    if not named:
        raise ValueError(f"`{argument}` is empty: there is nothing to draw.")
    for name, item in named.items():
        if item is None:
            where = f"`{argument}[{name!r}]`" if name else f"`{argument}`"
            raise ValueError(
                f"{where} must be `Predictions` or an array. Received: None"
            )
    found = {str(name): item for name, item in named.items()}
    if len(found) < len(named):
        raise ValueError(
            f"The names of `{argument}` must differ as they are written. "
            f"Received: {list(named)}"
        )
    return found


def probabilities_of(forecasts: Forecasts) -> np.ndarray:
    """The forecast of `Predictions`, or the array itself."""
    if isinstance(forecasts, Predictions):
        return forecasts.probabilities
    return np.asarray(forecasts)


def required_labels(labels: ArrayLike | None, diagram: str) -> np.ndarray:
    """The labels as an array, or a `ValueError` that says they are missing."""
    if labels is None:
        raise ValueError(
            f"A {diagram} needs the true labels: pass `labels`, one per "
            "example. Received: labels=None"
        )
    return np.asarray(labels)


def shown(name: str) -> str:
    """A name as it stands in a diagram: short lines, no markup.

    The middle of a long name is left out: names of runs differ at their ends.
    """
    if len(name) > MAX_NAME:
        half = MAX_NAME // 2 - 1
        name = f"{name[:half]}…{name[-half:]}"
    # matplotlib reads $...$ as mathematics, and hides labels that begin with _.
    name = name.replace("$", r"\$")
    name = f" {name}" if name.startswith("_") else name
    return textwrap.fill(name, NAME_LINE, drop_whitespace=False)


def titled(name: str, text: str) -> str:
    """`name: text`, on two lines if it is long; `text` for no name."""
    if not name:
        return text
    name = shown(name)
    is_long = "\n" in name or len(name) + len(text) > NAME_LINE
    return f"{name}:\n{text}" if is_long else f"{name}: {text}"


def line_style(index: int) -> dict:
    """Colour, dashes and marker of the line of that index.

    Any four in a row differ in lightness; the first 28 differ from each other.
    """
    return {
        "color": LINE_COLORS[index % len(LINE_COLORS)],
        "linestyle": DASHES[(index + index // 4) % len(DASHES)],
        "marker": MARKERS[index % len(MARKERS)],
        "markersize": 4.5,
        "markeredgecolor": "white",
        "markeredgewidth": 0.5,
        # A few markers per line, each line's at other places.
        "markevery": (0.02 + 0.02 * (index % 5), 0.12),
        "linewidth": 1.6,
    }


def thinned(num_points: int) -> np.ndarray:
    """Indices of at most 2000 points, evenly spread, both ends included."""
    count = min(num_points, MAX_POINTS)
    return np.linspace(0, num_points - 1, count).round().astype(int)


def legend_below(figure: "Figure", *axes: "Axes", num_columns: int) -> None:
    """The legend of some panels under all of them, where it covers nothing."""
    entries = [panel.get_legend_handles_labels() for panel in axes]
    figure.legend(
        [handle for handles, _ in entries for handle in handles],
        [name for _, names in entries for name in names],
        loc="outside lower center",
        ncols=num_columns,
        frameon=False,
        fontsize="small",
    )


def tidy(axes: "Axes") -> None:
    """No frame where there is no axis, and few grid lines behind the data."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_axisbelow(True)
    axes.grid(axis="y", color="#dddddd", linewidth=0.6)


def short_counts(axis: "Axis") -> None:
    """Writes 20000 as 20k, at few places."""
    from matplotlib.ticker import EngFormatter
    from matplotlib.ticker import MaxNLocator

    axis.set_major_formatter(EngFormatter(sep=""))
    axis.set_major_locator(MaxNLocator(nbins=4, integer=True))
