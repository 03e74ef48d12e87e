"""One interval of a difference, to be read from left, worse, to right."""

import math

from keras_plex.tasks.comparisons.differences import Difference
from keras_plex.tasks.reports.axis import Axis
from keras_plex.tasks.reports.markup import Markup
from keras_plex.tasks.reports.markup import element

WIDTH, HEIGHT = 200.0, 24.0


def difference_strip(found: Difference | None, reach: float) -> Markup | None:
    """The interval and its middle around a line at 0.

    Args:
        found: the difference; `None` and one without interval draw nothing.
        reach: the largest distance from 0 that there is room for.
    """
    if found is None or not math.isfinite(found.low + found.high):
        return None
    sign = 1 if found.higher_is_better else -1
    axis = Axis(-reach, reach, 6.0, WIDTH - 6.0)
    low, high, middle = [
        axis(sign * value)
        for value in (found.low, found.high, found.difference)
    ]
    y = HEIGHT / 2
    kind = found.verdict if found.verdict in ("better", "worse") else "noise"
    return element(
        "svg",
        element(
            "path", d=f"M{WIDTH / 2:.0f} 2V{HEIGHT - 2:.0f}", class_="axis"
        ),
        element("path", d=f"M{low:.1f} {y}H{high:.1f}", class_="extent"),
        element("circle", cx=middle, cy=y, r=4, class_="middle"),
        viewBox=f"0 0 {WIDTH:.0f} {HEIGHT:.0f}",
        class_=f"strip {kind}",
        aria_hidden="true",
    )
