"""A comparison reads as Markdown."""

import math

from keras_plex.tasks import Comparison
from keras_plex.tasks import Difference
from keras_plex.tasks.comparisons.markdown import difference_text
from tests.report_cases import report
from tests.report_cases import result
from tests.report_cases import value


def make(ece, seed=0):
    measures = {"ece": value(ece, higher=False, spread=0.01, seed=seed)}
    return report(result("a|b", measures))


def test_each_table_has_its_columns():
    reports = {"x|y\nz": make(0.4), "plex": make(0.1, 1)}
    text = Comparison.from_reports(reports).to_markdown()
    assert "# Comparison with x\\|y z\n" in text
    assert "-0.3000 [" in text and "better, confirmed" in text
    for block in text.split("\n\n"):
        lines = block.splitlines()
        if not lines or not lines[0].startswith("|"):
            continue
        counts = {line.replace("\\|", "").count("|") for line in lines}
        assert len(counts) == 1, block


def test_names_are_no_markup():
    nasty = "<img onerror=x>"
    one = report(result(f"{nasty}*a*", {"ece": value(0.1, higher=False)}))
    text = Comparison.from_reports({nasty: one, "b`c`": one}).to_markdown()
    assert "<" not in text and "`c" not in text.replace("\\`c", "")
    assert "## &lt;img onerror=x&gt;\\*a\\*\n" in text
    assert "| b\\`c\\` |" in text


def test_a_difference_is_told_in_one_cell():
    assert difference_text(None) == "baseline"
    found = Difference(0.2, 0.1, 0.05, 0.15, True)
    assert difference_text(found, 2) == "+0.10 [+0.05, +0.15] better"
    unknown = Difference(0.2, 0.1, math.nan, math.nan, True)
    assert difference_text(unknown, 1) == "+0.1 unknown"
    nothing = Difference(math.nan, 0.1, math.nan, math.nan, True)
    assert difference_text(nothing) == "undefined"
    endless = Difference(math.inf, 0.1, math.nan, math.nan, False)
    assert difference_text(endless) == "+∞ unknown"
