"""The curve is that of the metric, between its two references."""

import numpy as np
import pytest

from keras_plex.metrics import risk_coverage_auc
from keras_plex.plots import risk_coverage_diagram
from keras_plex.predictions import Predictions
from tests.plots.looks import assert_legible
from tests.plots.looks import assert_told_apart

RNG = np.random.default_rng(0)
PROBABILITIES = RNG.dirichlet(np.ones(3), 400)
LABELS = np.where(
    RNG.uniform(size=400) < 0.7, PROBABILITIES.argmax(-1), RNG.integers(0, 3)
)


def lines(figure):
    """The drawn curves by their names in the legend."""
    return {
        line.get_label(): line.get_xydata() for line in figure.axes[0].lines
    }


def test_curve_is_the_error_rate_of_the_most_confident():
    drawn = lines(risk_coverage_diagram(PROBABILITIES, LABELS))
    ((_, curve),) = [item for item in drawn.items() if "AURC" in item[0]]
    order = np.argsort(-PROBABILITIES.max(-1))
    wrong = (PROBABILITIES.argmax(-1) != LABELS)[order]
    for coverage, risk in curve[curve[:, 0] > 0][::40]:
        kept = wrong[: round(coverage * 400)]
        assert risk == pytest.approx(kept.mean(), abs=1e-9)


def test_legend_holds_the_area():
    figure = risk_coverage_diagram(
        {"base": PROBABILITIES, "plex": PROBABILITIES[:, ::-1]}, LABELS
    )
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    for name, forecasts in (
        ("base", PROBABILITIES),
        ("plex", PROBABILITIES[:, ::-1]),
    ):
        area = risk_coverage_auc(LABELS, forecasts)
        assert f"{name}: AURC {area:.4f}" in names


def test_references_end_at_the_error_rate_and_bound_the_curve():
    drawn = lines(risk_coverage_diagram(PROBABILITIES, LABELS))
    error = np.mean(PROBABILITIES.argmax(-1) != LABELS)
    oracle, random = drawn["Oracle's order"], drawn["Random order"]
    np.testing.assert_allclose(random[:, 1], error)
    assert oracle[-1] == pytest.approx([1.0, error])
    # The best order has no error among the share that is right.
    assert oracle[oracle[:, 0] < 1 - error, 1].max() == 0
    ((_, curve),) = [item for item in drawn.items() if "AURC" in item[0]]
    at = np.interp(curve[:, 0], *oracle.T)
    assert (curve[:, 1] >= at - 2e-3).all()


def test_perfect_order_is_the_oracle():
    confidence = np.linspace(1.0, 0.5, 200)
    probabilities = np.stack([confidence, 1 - confidence], -1)
    drawn = lines(risk_coverage_diagram(probabilities, np.arange(200) >= 150))
    ((_, curve),) = [item for item in drawn.items() if "AURC" in item[0]]
    at = np.interp(curve[:, 0], *drawn["Oracle's order"].T)
    np.testing.assert_allclose(curve[:, 1], at, atol=2e-3)


def test_predictions_and_arrays_give_the_same_picture():
    array = PROBABILITIES.astype("float32")
    found = Predictions.from_outputs(array, "probabilities")
    pictures = [
        [line.get_xydata().tolist() for line in figure.axes[0].lines]
        for figure in (
            risk_coverage_diagram(found, LABELS),
            risk_coverage_diagram(array, LABELS),
        )
    ]
    assert pictures[0] == pictures[1]


@pytest.mark.parametrize("count, references", [(1, 2), (3, 6), (4, 2)])
def test_many_models_share_the_references(count, references):
    models = {f"model {i}": PROBABILITIES for i in range(count)}
    figure = risk_coverage_diagram(models, LABELS)
    assert len(figure.axes[0].lines) == count + references
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names.count("Random order") == names.count("Oracle's order") == 1
    assert len(names) == count + 2 + (count == 1)


def test_curves_are_told_apart_without_hue():
    models = {f"model {i}": PROBABILITIES for i in range(4)}
    figure = risk_coverage_diagram(models, LABELS)
    curves = figure.axes[0].lines[:4]
    assert_told_apart([line.get_color() for line in curves])
    assert len({line.get_marker() for line in curves}) == 4
    assert len({str(line.get_linestyle()) for line in curves}) > 1


ONE = np.array([[0.9, 0.1]])
CASES = {
    "one right example": (ONE, [0]),
    "one wrong example": (ONE, [1]),
    "all right": (PROBABILITIES, PROBABILITIES.argmax(-1)),
    "all tied": (np.full((50, 2), 0.5), np.arange(50) % 2),
    "1000 classes": (RNG.dirichlet(np.ones(1000), 50), RNG.integers(0, 9, 50)),
    "many examples": (
        RNG.dirichlet(np.ones(2), 300_000),
        RNG.integers(0, 2, 300_000),
    ),
    "soft labels": (PROBABILITIES, PROBABILITIES[::-1]),
    "a column of labels": (PROBABILITIES, LABELS[:, None]),
}


@pytest.mark.parametrize("case", CASES)
def test_any_forecasts_can_be_drawn(case):
    figure = risk_coverage_diagram(*CASES[case])
    assert_legible(figure)
    for line in figure.axes[0].lines:
        assert len(line.get_xdata()) <= 2000
        assert np.isfinite(line.get_ydata()).all()
    low, high = figure.axes[0].get_ylim()
    assert low == 0 and 0 < high <= 1


def test_texts_stay_apart_when_small_and_with_long_names():
    name = "a model with a long name, of seed 17, " * 3
    figure = risk_coverage_diagram(
        {name: PROBABILITIES, "_$x": PROBABILITIES}, LABELS
    )
    figure.set_size_inches(0.75 * figure.get_size_inches())
    assert_legible(figure)


def test_many_long_names_leave_room_for_the_curves():
    name = "a model with a long name, of seed 17, " * 3
    models = {f"{index} {name}": PROBABILITIES for index in range(12)}
    figure = risk_coverage_diagram(models, LABELS)
    assert_legible(figure)
    height = figure.axes[0].get_position().height * figure.get_figheight()
    assert height > 2.5  # inches


def test_missing_labels_are_an_error():
    with pytest.raises(ValueError, match="risk-coverage diagram needs the tr"):
        risk_coverage_diagram(PROBABILITIES, None)


def test_labels_of_another_number_are_an_error():
    with pytest.raises(ValueError, match="9 rows for 400|9.*400"):
        risk_coverage_diagram(PROBABILITIES, LABELS[:9])


def test_names_need_not_be_texts():
    models = {1: PROBABILITIES, 2: PROBABILITIES}
    drawn = lines(risk_coverage_diagram(models, LABELS))
    assert [name[:2] for name in drawn if "AURC" in name] == ["1:", "2:"]
