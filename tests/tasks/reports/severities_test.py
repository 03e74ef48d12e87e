"""One model by corruption; several by model."""

from keras_plex.tasks.reports.severities import draw_severities
from tests.report_cases import CURVES
from tests.report_cases import Page

FOG = CURVES["severities"]["fog"]
BLUR = {**FOG, "accuracy": [0.9, 0.6, 0.3]}


def titles(made):
    return [Page(one).texts[0] for one in made]


def test_one_model_has_a_line_for_each_corruption():
    made = draw_severities({"": {"fog": FOG, "blur": BLUR}})
    assert titles(made) == ["Accuracy, by corruption", "ECE, by corruption"]
    # The worst first.
    assert Page(made[0]).texts[-2:] == ["blur", "fog"]
    assert Page(made[1]).texts[-2:] == ["blur", "fog"]


def test_several_models_have_a_line_each_for_the_mean():
    by_model = {"a": {"fog": FOG, "blur": BLUR}, "b": {"fog": FOG}}
    made = draw_severities(by_model)
    assert titles(made) == [
        "Accuracy, mean of the corruptions",
        "ECE, mean of the corruptions",
        "Each corruption, the worst first: 2",
    ]
    folded = Page(made[-1]).text
    worst, other = "Accuracy, by corruption: blur", "by corruption: fog"
    assert 0 < folded.index(worst) < folded.index(other)
    [chart, *_] = Page(made[0]).named("svg")
    assert "a 0.9 at 0 to 0.4 at 5" in chart["aria-label"]
