"""The diagram draws the numbers of the metrics."""

import sys

import numpy as np
import pytest

from keras_plex.metrics import expected_calibration_error
from keras_plex.plots import reliability_diagram
from keras_plex.predictions import Predictions
from tests.plots.looks import assert_legible
from tests.plots.looks import assert_told_apart

RNG = np.random.default_rng(0)
PROBABILITIES = RNG.dirichlet(np.ones(3), 200)
LABELS = RNG.integers(0, 3, 200)


def bar_heights(axes):
    """Heights of the first set of bars, left to right."""
    return [bar.get_height() for bar in axes.containers[0]]


def test_title_holds_the_calibration_error():
    figure = reliability_diagram(PROBABILITIES, LABELS)
    error = expected_calibration_error(LABELS, PROBABILITIES)
    assert figure.axes[0].get_title() == f"ECE {error:.3f}"


def test_bars_are_the_accuracies_and_counts_of_the_filled_bins():
    probabilities = np.array([[0.9, 0.1], [0.7, 0.3], [0.4, 0.6]])
    figure = reliability_diagram(probabilities, [0, 1, 1], num_bins=4)
    upper, lower = figure.axes
    assert bar_heights(upper) == [0.5, 1.0]
    assert bar_heights(lower) == [0, 0, 2, 1]


def test_gap_runs_from_accuracy_to_confidence():
    figure = reliability_diagram(np.array([[0.9, 0.1]]), [1])
    gap = figure.axes[0].containers[1][0]
    assert gap.get_y() == 0.0 and gap.get_height() == pytest.approx(0.9)


def test_models_stand_side_by_side():
    predictions = Predictions.from_outputs(PROBABILITIES, "probabilities")
    figure = reliability_diagram(
        {"base": PROBABILITIES, "plex": predictions}, LABELS
    )
    base, plex = (axes.get_title() for axes in figure.axes[:2])
    assert base.removeprefix("base: ") == plex.removeprefix("plex: ")
    assert len(figure.axes) == 4


@pytest.mark.parametrize("ending", ["png", "svg"])
def test_figure_saves_without_a_window(tmp_path, ending, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    path = tmp_path / f"diagram.{ending}"
    reliability_diagram(PROBABILITIES, LABELS).savefig(path)
    assert path.stat().st_size > 5000


def test_no_models_is_an_error():
    with pytest.raises(ValueError, match="`predictions` is empty"):
        reliability_diagram({}, LABELS)


def test_without_matplotlib_the_error_gives_the_pip_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match=r'pip install "keras_plex\[plots\]"'):
        reliability_diagram(PROBABILITIES, LABELS)


def test_missing_labels_are_an_error():
    with pytest.raises(ValueError, match="reliability diagram needs the true"):
        reliability_diagram(PROBABILITIES, None)


def test_labels_of_another_number_are_an_error():
    with pytest.raises(ValueError, match="199 rows for 200"):
        reliability_diagram(PROBABILITIES, LABELS[:199])


def test_more_than_four_models_take_a_second_row():
    models = {f"model {i}": PROBABILITIES for i in range(5)}
    figure = reliability_diagram(models, LABELS)
    assert len(figure.axes) == 10
    titles = {axes.get_title().split(":")[0] for axes in figure.axes}
    assert set(models) < titles
    counts = {axes.get_ylim() for axes in figure.axes if not axes.get_title()}
    assert len(counts) == 1  # one scale
    assert_legible(figure)


CASES = {
    "one example": (np.array([[0.9, 0.1]]), [1]),
    "two classes, all sure": (np.array([[1.0, 0.0]] * 9), [0] * 9),
    "1000 classes": (RNG.dirichlet(np.ones(1000), 50), RNG.integers(0, 50, 50)),
    "many examples": (
        np.tile([[0.7, 0.3], [0.4, 0.6]], (150_000, 1)),
        np.tile([0, 1], 150_000),
    ),
    "soft labels": (PROBABILITIES, PROBABILITIES),
}


@pytest.mark.parametrize("case", CASES)
def test_texts_stay_apart(case):
    figure = reliability_diagram(*CASES[case])
    assert_legible(figure)


def test_texts_stay_apart_when_small_and_with_long_names():
    names = ["short", "a model with a long name, of seed 17, " * 3, "_$x_"]
    figure = reliability_diagram(dict.fromkeys(names, PROBABILITIES), LABELS)
    figure.set_size_inches(0.75 * figure.get_size_inches())
    assert_legible(figure)


def test_gap_is_hatched_and_differs_from_the_bar_without_hue():
    figure = reliability_diagram(PROBABILITIES, LABELS)
    bars, gaps = figure.axes[0].containers[:2]
    assert gaps[0].get_hatch() and not bars[0].get_hatch()
    assert_told_apart([bars[0].get_facecolor(), gaps[0].get_edgecolor()])


def test_names_need_not_be_texts():
    models = {1: PROBABILITIES, 2: PROBABILITIES}
    figure = reliability_diagram(models, LABELS)
    titles = [axes.get_title()[:2] for axes in figure.axes]
    assert [one for one in titles if one] == ["1:", "2:"]
