"""Differences of the same draws, against NumPy; their intervals are right."""

import math
import zlib

import numpy as np
import pytest

from keras_plex.tasks import Difference
from keras_plex.tasks.bootstrap import bootstrap_interval
from keras_plex.tasks.bootstrap import draw_measures
from keras_plex.tasks.comparisons.differences import confirm_together
from keras_plex.tasks.comparisons.differences import paired_difference
from keras_plex.tasks.comparisons.differences import score_difference
from keras_plex.tasks.examples import Evidence
from keras_plex.tasks.examples import Examples
from keras_plex.tasks.reports.result import Value
from tests.report_cases import report
from tests.report_cases import result
from tests.report_cases import value


def accuracy(evidence):
    return {"accuracy": float(evidence["test"]["right"].mean())}


def measured(right, resamples=200, seed=0):
    evidence = Evidence({"test": Examples({"right": right})}, 2)
    drawn = draw_measures(accuracy, evidence, resamples=resamples, seed=seed)
    found = accuracy(evidence)["accuracy"]
    draws = drawn.get("accuracy", np.full(resamples, np.nan))
    interval = bootstrap_interval("accuracy", found, draws)
    return Value(found, *interval, True, draws)


def two_classifiers(generator, size, shares=(0.7, 0.76)):
    """Right with these probabilities, mostly on the same examples."""
    hardness = generator.random(size)
    own = generator.random((2, size))
    mixed = np.where(generator.random((2, size)) < 0.8, hardness, own)
    return [
        (row < s).astype(float) for row, s in zip(mixed, shares, strict=True)
    ]


def test_two_infinite_values_have_no_difference():
    endless = Value(math.inf, math.nan, math.nan, False, np.full(30, np.inf))
    found = paired_difference(endless, endless)
    assert math.isnan(found.difference) and found.verdict == "unknown"


def test_it_is_the_difference_of_each_draw():
    base, plex = two_classifiers(np.random.default_rng(0), 200)
    found = paired_difference(measured(plex), measured(base))
    # What is drawn depends on the seed, and on name and size of the set.
    drawn = []
    for number in range(200):
        generator = np.random.default_rng([0, number, zlib.crc32(b"test")])
        rows = generator.integers(200, size=200)
        drawn.append((plex[rows] - base[rows]).mean())
    np.testing.assert_allclose(found.drawn, drawn, atol=1e-6)
    difference = plex.mean() - base.mean()
    assert found.difference == pytest.approx(difference)
    ends = np.quantile(drawn, (0.025, 0.975)) - np.mean(drawn) + difference
    np.testing.assert_allclose((found.low, found.high), ends, atol=1e-6)


def test_the_interval_holds_the_true_difference_in_95_of_100():
    generator = np.random.default_rng(0)
    hits, widths = 0, []
    for seed in range(200):
        base, plex = [
            measured(right, resamples=100, seed=seed)
            for right in two_classifiers(generator, 150)
        ]
        found = paired_difference(plex, base)
        hits += found.low <= 0.06 <= found.high
        apart = math.hypot(base.high - base.low, plex.high - plex.low)
        widths.append((found.high - found.low) / apart)
    # Two standard errors of 200 data sets are 3 %.
    assert 0.91 <= hits / 200 <= 0.98
    assert np.median(widths) < 0.85, "pairing gains nothing"


@pytest.mark.parametrize(
    "ends, higher, verdict",
    [
        ((0.1, 0.2), True, "better"),
        ((0.1, 0.2), False, "worse"),
        ((-0.2, -0.1), False, "better"),
        ((-0.1, 0.1), True, "within noise"),
        ((0.0, 0.0), True, "within noise"),
        ((math.nan, math.nan), True, "unknown"),
    ],
)
def test_the_verdict_is_that_of_the_interval(ends, higher, verdict):
    assert Difference(0.15, 0.0, *ends, higher).verdict == verdict


def test_a_model_does_not_differ_from_itself():
    one = value(0.5)
    found = paired_difference(one, one)
    assert found.difference == found.low == found.high == 0.0
    assert confirm_together([found])[0].confirmed is False


def test_one_example_or_one_draw_confirms_nothing():
    for size, resamples in ((1, 200), (19, 200), (300, 1)):
        models = [np.ones(size), np.zeros(size)]
        if size > 19:
            models = two_classifiers(np.random.default_rng(0), size, (0.9, 0.1))
        good, poor = [measured(one, resamples=resamples) for one in models]
        found = paired_difference(good, poor)
        assert found.difference > 0 and math.isnan(found.low)
        assert found.verdict == "unknown"
        assert confirm_together([found])[0].confirmed is False


def test_many_examples_of_one_mind_confirm():
    # By chance 20 fair coins show the same side once in 500,000 times.
    good, poor = measured(np.ones(20)), measured(np.zeros(20))
    found = paired_difference(good, poor)
    assert (found.low, found.high, found.verdict) == (1.0, 1.0, "better")
    same = paired_difference(good, good)
    assert (same.low, same.high, same.verdict) == (0.0, 0.0, "within noise")
    assert [one.confirmed for one in confirm_together([found, same])] == [
        True,
        False,
    ]


def test_a_measure_without_interval_leaves_the_others_as_they_are():
    clear = noise(5, 9.0)
    nowhere = Difference(
        1.0, 0.0, math.nan, math.nan, True, drawn=np.full(400, np.nan)
    )
    found = confirm_together([*clear, nowhere])
    assert [one.confirmed for one in found] == [True] * 5 + [False]
    # Nor does a resample in which none of them is defined.
    clear[0].drawn[0] = np.nan
    found = confirm_together([clear[0], nowhere])
    assert [one.confirmed for one in found] == [True, False]


def test_what_is_not_finite_leaves_out_its_draw_or_all():
    one, other = value(0.5), value(0.6)
    other.drawn[0] = np.nan
    assert math.isfinite(paired_difference(one, other).low)
    nothing = paired_difference(one, value(math.nan))
    assert nothing.verdict == "unknown"
    never = value(1.0, resamples=0)
    assert paired_difference(never, never).verdict == "unknown"


def test_scores_are_compared_on_what_both_have():
    def make(ece, auc):
        return report(
            result("a", {"ece": value(ece, higher=False, spread=0.01)}),
            result("b", {"auroc": value(auc, spread=0.01, seed=1)}),
        )

    found = score_difference(make(0.2, 0.8), make(0.4, 0.6))
    assert found.value == pytest.approx(80.0)
    assert found.difference == pytest.approx(20.0)
    assert found.low < 20.0 < found.high and found.verdict == "better"
    found = score_difference(make(0.2, 0.8), make(0.4, math.nan))
    assert found.difference == pytest.approx(20.0)
    assert found.value == pytest.approx(80.0)
    nothing = score_difference(report(), report())
    assert nothing.verdict == "unknown"


def noise(size, shift=0.0, seed=0, resamples=400):
    """Differences of measures that do not differ, but for `shift`."""
    generator = np.random.default_rng(seed)
    found = []
    for observed in generator.normal(shift, 1.0, size):
        drawn = generator.normal(observed, 1.0, resamples)
        low, high = np.quantile(drawn, (0.025, 0.975))
        found.append(Difference(observed, 0.0, low, high, True, drawn=drawn))
    return found


def test_among_many_without_difference_few_families_confirm_one():
    families = [confirm_together(noise(20, seed=s)) for s in range(200)]
    alone = np.mean(
        [any(one.verdict != "within noise" for one in f) for f in families]
    )
    together = np.mean([any(one.confirmed for one in f) for f in families])
    assert alone > 0.5, "uncorrected, most families name one"
    assert together <= 0.09


def test_a_large_difference_is_confirmed():
    assert all(one.confirmed for one in confirm_together(noise(5, 9.0)))
    assert confirm_together([]) == []


def test_less_than_float32_tells_is_no_difference():
    one = value(0.1, higher=False)
    for change in (2.8e-8, -2.8e-8, 1e-7):
        other = Value(0.1 + change, one.low, one.high, False, one.drawn)
        found = paired_difference(other, one)
        assert found.verdict == "within noise"
        assert confirm_together([found])[0].confirmed is False
    for large in (1.0, 1e3):
        ends = (2e-7 * large, 3e-7 * large)
        assert Difference(large, large, *ends, True).verdict == "better"
        ends = (5e-8 * large, 9e-8 * large)
        assert Difference(large, large, *ends, True).verdict == "within noise"


def test_rounding_does_not_hide_what_is_confirmed():
    clear, drawn = noise(1, 9.0), np.zeros(400)
    # One draw in ten differs by the last digit: three standard errors.
    drawn[::10] = 1e-8
    rounding = Difference(0.1, 0.1, 0.0, 1e-8, True, drawn=drawn)
    clear[0] = Difference(2.5, 0.0, 0.5, 4.5, True, drawn=clear[0].drawn)
    alone, _ = confirm_together([clear[0], clear[0]])
    found, last = confirm_together([clear[0], rounding])
    assert (found.confirmed, last.confirmed) == (alone.confirmed, False)
    assert found.confirmed
