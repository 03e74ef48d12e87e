"""The diagram draws the numbers of the metrics."""

import sys

import numpy as np
import pytest

from keras_plex.metrics import expected_calibration_error
from keras_plex.plots import reliability_diagram
from keras_plex.plots.reliability_diagram import wilson_interval
from keras_plex.predictions import Predictions

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


def test_wilson_interval_of_ten_successes_in_ten():
    # Wilson: n / (n + z^2) = 10 / 13.8415
    low, high = wilson_interval(np.array([1.0]), np.array([10.0]))
    assert low == pytest.approx(0.72246, abs=1e-5)
    assert high == 1.0


def test_wilson_interval_covers_its_share():
    share = np.linspace(0, 1, 11)
    low, high = wilson_interval(share, np.full(11, 7.0))
    assert (low <= share).all() and (share <= high).all()
    np.testing.assert_allclose(low, 1 - high[::-1], atol=1e-12)


def test_wilson_interval_equals_scipy():
    from scipy.stats import binomtest

    expected = binomtest(3, 20).proportion_ci(0.95, method="wilson")
    low, high = wilson_interval(np.array([0.15]), np.array([20.0]))
    np.testing.assert_allclose([low[0], high[0]], expected, atol=1e-6)


def test_no_models_is_an_error():
    with pytest.raises(ValueError, match="`predictions` is empty"):
        reliability_diagram({}, LABELS)


def test_without_matplotlib_the_error_gives_the_pip_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match=r'pip install "keras_plex\[plots\]"'):
        reliability_diagram(PROBABILITIES, LABELS)
