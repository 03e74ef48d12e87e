"""The diagram draws the share of examples on which members differ."""

import dataclasses

import numpy as np
import pytest

from keras_plex.metrics.ranking import auroc
from keras_plex.plots import member_disagreement_diagram
from keras_plex.plots.member_disagreement_diagram import pairwise_disagreement
from keras_plex.predictions import Predictions
from tests.plots.looks import assert_legible
from tests.plots.looks import assert_told_apart

RNG = np.random.default_rng(0)


def predictions(members=3, size=60, classes=4):
    logits = 2 * RNG.normal(size=(size, members, classes))
    return Predictions.from_outputs(logits, "softmax_logits")


FOUND, LABELS = predictions(), RNG.integers(0, 4, 60)


def test_pairs_by_hand():
    one_hot = np.eye(3)[[[0, 0, 1], [2, 1, 1], [0, 0, 0], [1, 2, 0]]]
    found = Predictions.from_outputs(one_hot, "probabilities")
    np.testing.assert_array_equal(
        pairwise_disagreement(found),
        [[0, 0.5, 0.75], [0.5, 0, 0.5], [0.75, 0.5, 0]],
    )


def test_mean_over_pairs_is_the_mean_over_examples():
    matrix = pairwise_disagreement(FOUND)
    assert matrix.sum() / 6 == pytest.approx(FOUND.disagreement.mean())
    figure = member_disagreement_diagram(FOUND)
    title = figure.axes[0].get_title()
    assert title == f"Mean disagreement {FOUND.disagreement.mean():.3f}"


def test_cells_hold_the_pairs():
    figure = member_disagreement_diagram(FOUND)
    matrix = pairwise_disagreement(FOUND)
    texts = {t.get_position(): t.get_text() for t in figure.axes[0].texts}
    assert len(texts) == 6
    assert texts[(1, 0)] == f"{matrix[0, 1]:.3f}"


def test_right_and_wrong_forecasts_are_told_apart():
    figure = member_disagreement_diagram(FOUND, LABELS)
    area = auroc(FOUND.mutual_information, FOUND.labels != LABELS)
    title = figure.axes[1].get_title()
    assert title == f"Mutual information: AUROC {area:.3f}"
    right, wrong = figure.axes[1].patches
    assert wrong.get_hatch() and not right.get_hatch()
    assert_told_apart([right.get_facecolor(), wrong.get_edgecolor()])


@pytest.mark.parametrize("form", ["column", "one-hot"])
def test_labels_of_any_form(form):
    labels = LABELS[:, None] if form == "column" else np.eye(4)[LABELS]
    titles = [
        [axes.get_title() for axes in member_disagreement_diagram(*x).axes]
        for x in ((FOUND, LABELS), (FOUND, labels))
    ]
    assert titles[0] == titles[1]


def test_all_right_is_drawn_without_a_comparison():
    figure = member_disagreement_diagram(FOUND, FOUND.labels)
    assert figure.axes[1].get_title() == "Mutual information"
    assert_legible(figure)


def test_models_have_a_row_each():
    name = "a model with a long name, of seed 17, " * 3
    figure = member_disagreement_diagram(
        {"plex": FOUND, name: predictions(6)}, LABELS
    )
    titles = [axes.get_title() for axes in figure.axes]
    assert sum("disagreement" in title for title in titles) == 2
    assert_legible(figure)


@pytest.mark.parametrize("members", [2, 6, 7, 30])
def test_any_number_of_members(members):
    figure = member_disagreement_diagram(predictions(members))
    assert len(figure.axes[0].texts) == (
        members * (members - 1) if members <= 6 else 0
    )
    assert_legible(figure)


def test_equal_members():
    member = np.array([[[0.9, 0.1]] * 3])
    found = Predictions.from_outputs(member, "probabilities")
    assert_legible(member_disagreement_diagram(found, [0]))


# PyTorch cannot make one from no outputs.
EMPTY = dataclasses.replace(
    FOUND,
    **{
        field.name: getattr(FOUND, field.name)[:0]
        for field in dataclasses.fields(FOUND)
        if getattr(FOUND, field.name) is not None
    },
)

BAD = {
    "one member": (predictions(1), None, "at least two members"),
    "array": (np.ones((3, 2)), None, "must be `Predictions`.*ndarray"),
    "no example": (EMPTY, None, "holds no example"),
    "lengths": (FOUND, LABELS[:9], "9 rows for 60"),
    "label beyond": (FOUND, LABELS + 4, "indices 0 to 3"),
    "by name": ({"a": predictions(1)}, None, r"`predictions\['a'\]`"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_drawn_is_an_error(name):
    found, labels, message = BAD[name]
    with pytest.raises(ValueError, match=message):
        member_disagreement_diagram(found, labels)
