"""Right is better, whatever the direction of the measure."""

import math

from keras_plex.tasks import Difference
from keras_plex.tasks.reports.difference_strip import WIDTH
from keras_plex.tasks.reports.difference_strip import difference_strip
from tests.report_cases import Page


def test_better_is_right_of_the_middle():
    for sign, higher in ((1, True), (-1, False)):
        low, high = sorted((sign * 0.1, sign * 0.3))
        found = Difference(sign * 0.2, 0.0, low, high, higher)
        page = Page(difference_strip(found, 0.3))
        [middle] = page.named("circle")
        assert float(middle["cx"]) > WIDTH / 2
        assert page.classed("better")


def test_nothing_known_nothing_drawn():
    unknown = Difference(1.0, 0.0, math.nan, math.nan, True)
    assert difference_strip(unknown, 1.0) is None
    assert difference_strip(None, 1.0) is None
