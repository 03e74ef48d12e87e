"""The histograms show the scores, and the curve its metrics."""

import numpy as np
import pytest

from keras_plex.metrics.ranking import auroc
from keras_plex.metrics.ranking import fpr_at_tpr
from keras_plex.plots import score_histograms
from keras_plex.plots.histograms import shares
from keras_plex.plots.score_histograms import ScoreRow
from keras_plex.plots.score_histograms import draw_score_rows
from keras_plex.plots.score_histograms import named_scores
from keras_plex.predictions import Predictions
from keras_plex.scores import Mahalanobis
from keras_plex.scores import entropy
from keras_plex.scores import score
from tests.plots.looks import assert_legible

RNG = np.random.default_rng(0)


def predictions(sharpness, size, classes=3, members=2):
    logits = sharpness * RNG.normal(size=(size, members, classes))
    return Predictions.from_outputs(logits, "softmax_logits")


KNOWN, UNKNOWN = predictions(3.0, 120), predictions(0.7, 70)


def numbers(known, unknown):
    values = np.concatenate([known, unknown])
    is_ood = np.arange(len(values)) >= len(known)
    return auroc(values, is_ood), fpr_at_tpr(values, is_ood)


def test_title_holds_the_metrics():
    figure = score_histograms(KNOWN, UNKNOWN, ("entropy",))
    area, flagged = numbers(KNOWN.entropy, UNKNOWN.entropy)
    title = figure.axes[1].get_title()
    assert title == f"AUROC {area:.3f}, FPR95 {flagged:.3f}"


def test_area_under_the_drawn_curve_is_the_metric():
    figure = score_histograms(KNOWN, UNKNOWN, ("entropy",))
    curve = figure.axes[1].lines[2]
    area, flagged = numbers(KNOWN.entropy, UNKNOWN.entropy)
    assert np.trapezoid(*curve.get_data()[::-1]) == pytest.approx(area)
    ((x,), (y,)) = figure.axes[1].lines[3].get_data()
    assert x == flagged and y >= 0.95
    assert [x, y] in curve.get_xydata().tolist()


def test_the_circle_lies_on_the_curve():
    row = ScoreRow("", "msp", np.arange(50.0), np.arange(50.0))
    axes = draw_score_rows([row]).axes[1]
    ((x,), (y,)) = axes.lines[3].get_data()
    # Equal scores: the curve is the diagonal, and 48 of 50 are 95 %.
    assert (x, y) == (0.96, 0.96)
    assert [x, y] in axes.lines[2].get_xydata().tolist()


def test_bars_are_the_shares_of_each_kind():
    figure = score_histograms(KNOWN, UNKNOWN, ("entropy",))
    known, unknown = (patch.get_data() for patch in figure.axes[0].patches)
    for drawn, item in ((known, KNOWN), (unknown, UNKNOWN)):
        expected = shares(item.entropy, drawn.edges)
        np.testing.assert_array_equal(drawn.values, expected)
    assert "120 known, 70 unknown" in figure.axes[0].get_title()


def test_each_set_and_score_has_a_row():
    sets = {"svhn": UNKNOWN, "noise": predictions(0.1, 9)}
    figure = score_histograms(KNOWN, sets, ("msp", "mutual_information"))
    assert len(figure.axes) == 8
    left = figure.axes[::2]
    assert [axes.get_title().split("\n")[0] for axes in left] == [
        "svhn",
        "svhn",
        "noise",
        "noise",
    ]
    assert [axes.get_xlabel() for axes in left[:2]] == [
        "Score: msp",
        "Score: mutual_information",
    ]
    assert_legible(figure)


def test_models_by_name_are_compared_each_with_its_own():
    models = {"base": KNOWN, "plex": predictions(5.0, 30)}
    figure = score_histograms(models, {"plex": UNKNOWN, "base": UNKNOWN})
    assert "30 known" in figure.axes[0].get_title()
    assert "120 known" in figure.axes[2].get_title()


def test_names_need_not_be_texts():
    models = {1: KNOWN, 2: KNOWN}
    figure = score_histograms(models, {1: UNKNOWN, 2: UNKNOWN}, {3: "msp"})
    assert figure.axes[2].get_title().startswith("2\n")
    assert figure.axes[0].get_xlabel() == "Score: 3"
    with pytest.raises(ValueError, match=r"of its own.*\['3', '3'\]"):
        named_scores({3: "msp", "3": "entropy"})


def test_fitted_scores_and_functions_are_scores():
    features = RNG.normal(size=(40, 2))
    fitted = score("mahalanobis")
    fitted.update(features, labels=np.arange(40) % 2)
    fitted.finish()
    found = named_scores([fitted, entropy, "msp"])
    assert list(found) == ["mahalanobis", "entropy", "msp"]
    assert found["mahalanobis"] is fitted
    assert list(named_scores({"mine": entropy})) == ["mine"]


def with_features(size):
    return Predictions.from_outputs(
        RNG.normal(size=(size, 1, 3)),
        "softmax_logits",
        features=RNG.normal(size=(size, 1, 2)),
    )


def test_fitted_score_reads_the_features():
    known, unknown = with_features(40), with_features(30)
    fitted = score("mahalanobis")
    fitted.update(known, labels=np.arange(40) % 2)
    fitted.finish()
    figure = score_histograms(known, unknown, {"distance": fitted})
    area, _ = numbers(fitted(known), fitted(unknown))
    assert f"AUROC {area:.3f}" in figure.axes[1].get_title()
    assert figure.axes[0].get_xlabel() == "Score: distance"


@pytest.mark.parametrize(
    "known, unknown",
    [
        (np.zeros(5), np.zeros(7)),
        (np.array([1.0]), np.array([0.0])),
        (np.array([-np.inf, 0.0]), np.array([np.inf, 1e30])),
        (RNG.normal(size=300_000), RNG.normal(size=200_000) + 1),
        (1e-12 * RNG.uniform(size=50), 1e-12 * RNG.uniform(size=50)),
        (RNG.normal(size=50) - 1e6, RNG.normal(size=50) - 1e6),
    ],
)
def test_any_scores_can_be_drawn(known, unknown):
    name = "a data set with a long name, cropped, of noise " * 3
    figure = draw_score_rows([ScoreRow(name, "msp", known, unknown)])
    area, flagged = numbers(known, unknown)
    title = figure.axes[1].get_title()
    assert title == f"AUROC {area:.3f}, FPR95 {flagged:.3f}"
    assert len(figure.axes[1].lines[2].get_xdata()) <= 2000
    assert_legible(figure)


def test_one_member_and_many_classes():
    known = predictions(3.0, 20, classes=1000, members=1)
    figure = score_histograms(known, known, ("mutual_information",))
    assert figure.axes[1].get_title().startswith("AUROC 0.500")


BAD = {
    "unknown name": (dict(scores=["mps"]), "Unknown score: 'mps'"),
    "string": (dict(scores="msp"), "list of names.*'msp'"),
    "no score": (dict(scores=()), "at least one score"),
    "twice": (dict(scores=("msp", "msp")), "name of its own"),
    "no score at all": (dict(scores=[3]), "must be a name in `SCORES`"),
    "not fitted": (dict(scores=[Mahalanobis()]), "fit"),
    "name of one to fit": (dict(scores=["mahalanobis"]), "fit"),
    "no variance": (dict(scores=["variance"]), '"variance" needs a head'),
    "array": (dict(known=np.ones((3, 2))), "`known` must be `Predictions`"),
    "other names": (
        dict(known={"a": KNOWN}, unknown={"b": UNKNOWN}),
        r"same names.*\['a'\] and \['b'\]",
    ),
    "none": (dict(unknown=None), "`unknown` must be"),
    "no sets": (dict(unknown={}), "`unknown` is empty"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_drawn_is_an_error(name):
    options, message = BAD[name]
    with pytest.raises(ValueError, match=message):
        score_histograms(**{"known": KNOWN, "unknown": UNKNOWN, **options})
