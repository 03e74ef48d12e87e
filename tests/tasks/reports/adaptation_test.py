"""Few labels: lines of sets and acquisitions in one figure."""

from keras_plex.tasks.reports.adaptation import draw_active_learning
from keras_plex.tasks.reports.adaptation import draw_few_shot
from tests.report_cases import CURVES
from tests.report_cases import Page

ACTIVE, FEW = CURVES["active_learning"], CURVES["few_shot"]


def titles(made):
    return [Page(one).texts[0] for one in made]


def test_acquisitions_share_a_figure_of_accuracies():
    [made] = draw_active_learning({"": ACTIVE})
    page = Page(made)
    assert page.texts[-2:] == ["margin", "uniform"]
    assert {"Accuracy", "Labelled examples"} <= set(page.texts)


def test_models_share_the_figure_of_each_acquisition():
    made = draw_active_learning({"a": ACTIVE, "b": ACTIVE})
    first = "Accuracy as labels are added"
    assert titles(made) == [f"{first}: margin", f"{first}: uniform"]


def test_sets_of_unknown_examples_share_a_figure():
    ece, auroc = draw_few_shot({"": FEW})
    assert not Page(ece).classed("legend")
    assert Page(auroc).texts[-3:] == ["mean of the sets", "noise", "night"]


def test_the_mean_of_one_set_is_that_set():
    one = {key: row for key, row in FEW.items() if not key.startswith("night")}
    _, auroc = draw_few_shot({"": one})
    assert Page(auroc).texts[-1] == "noise"
    assert titles(draw_few_shot({"a": one, "b": one})) == [
        "ECE after a few examples",
        "AUROC after a few examples: noise",
    ]
