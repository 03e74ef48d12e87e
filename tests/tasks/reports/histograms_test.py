"""Two kinds in one histogram; the first score is shown, others folded."""

from keras_plex.tasks.reports.histograms import draw_confidence
from keras_plex.tasks.reports.histograms import draw_score_histograms
from tests.report_cases import CURVES
from tests.report_cases import Page


def test_other_scores_are_folded():
    first, folded = draw_score_histograms({"": CURVES["score_histograms"]})
    assert "msp: known against a/b" in Page(first).text
    page = Page(folded)
    assert page.named("details")
    assert "Histograms of other scores: 1" in page.text
    assert "entropy: known against a/b" in page.text


def test_models_stand_beside_each_other():
    curves = {"msp": CURVES["score_histograms"]["a/b/msp"]}
    made = draw_score_histograms(
        {"x": {"u/msp": curves["msp"]}}
        | {"y": {"u/msp": curves["msp"], "v/msp": curves["msp"]}}
    )
    titles = [Page(one).texts[0] for one in made]
    assert titles == [
        "msp: known against u (x)",
        "msp: known against u (y)",
        "msp: known against v (y)",
    ]


def test_right_and_wrong_are_told_apart():
    [made] = draw_confidence({"": CURVES["confidence"]})
    page = Page(made)
    assert len(page.classed("area")) == 4  # and their two swatches
    assert page.texts[-2:] == ["right", "wrong"]


def test_nothing_to_draw():
    empty = {"edges": [0.0, 1.0], "right": [0.0], "wrong": [0.0]}
    assert draw_confidence({"": empty}) == []
