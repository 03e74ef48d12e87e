"""Intervals cover, follow the seed, and pair what belongs together."""

import numpy as np
import pytest

from keras_plex.tasks import Evidence
from keras_plex.tasks import Examples
from keras_plex.tasks.bootstrap import bootstrap_intervals
from keras_plex.tasks.bootstrap import draw_measures
from keras_plex.tasks.bootstrap import moved_percentiles
from keras_plex.tasks.bootstrap import resample
from keras_plex.tasks.calibration import calibration_gaps

GENERATOR = np.random.default_rng(0)
RIGHT = (GENERATOR.random(400) < 0.8).astype(float)


def evidence_of(right, **columns):
    return Evidence({"test": Examples({"right": right, **columns})}, 2)


def accuracy(evidence):
    return {"accuracy": float(evidence["test"]["right"].mean())}


def test_interval_of_a_mean_is_that_of_the_normal_distribution():
    found = bootstrap_intervals(
        accuracy, evidence_of(RIGHT), resamples=2000, seed=0
    )["accuracy"]
    half = 1.96 * RIGHT.std() / np.sqrt(len(RIGHT))
    assert found.low == pytest.approx(RIGHT.mean() - half, abs=0.004)
    assert found.high == pytest.approx(RIGHT.mean() + half, abs=0.004)


def test_intervals_of_many_samples_cover_the_truth():
    inside = 0
    for seed in range(100):
        sample = (np.random.default_rng(seed).random(200) < 0.7).astype(float)
        found = bootstrap_intervals(
            accuracy, evidence_of(sample), resamples=100, seed=seed
        )["accuracy"]
        inside += found.low <= 0.7 <= found.high
    assert inside >= 88


def test_a_calibration_error_lies_in_its_interval():
    # 200 examples each, of which exactly as many are right.
    levels = np.array([0.55, 0.65, 0.75, 0.85, 0.95])
    confidence = np.repeat(levels, 200).astype("float32")
    right = np.concatenate([np.arange(200) < 200 * one for one in levels])
    evidence = evidence_of(right.astype(float), confidence=confidence)

    def measure(evidence):
        return {"ece": calibration_gaps(evidence["test"])[0]}

    found = bootstrap_intervals(measure, evidence, resamples=100, seed=0)
    assert 0 <= found["ece"].low <= measure(evidence)["ece"]
    assert measure(evidence)["ece"] <= found["ece"].high
    # Plain percentiles would lie above: repeated examples are noise.
    drawn = [measure(resample(evidence, 0, i))["ece"] for i in range(100)]
    assert min(drawn) > measure(evidence)["ece"]


def test_two_models_meet_the_same_examples():
    first = evidence_of(np.arange(50.0))
    second = evidence_of(np.arange(50.0) + 100)
    drawn = [resample(one, 3, 7)["test"]["right"] for one in (first, second)]
    np.testing.assert_array_equal(drawn[0] + 100, drawn[1])


def test_each_resample_set_and_seed_draws_anew():
    columns = {"right": np.arange(50.0)}
    evidence = Evidence({n: Examples(columns) for n in ("a", "b")}, 2)
    draws = [
        tuple(resample(evidence, seed, number)[name]["right"])
        for seed in (0, 1)
        for number in (0, 1)
        for name in ("a", "b")
    ]
    assert len(set(draws)) == 8


def test_copies_of_the_same_examples_are_drawn_together():
    columns = {"right": np.arange(50.0)}
    evidence = Evidence(
        {n: Examples(columns, drawn_with="clean") for n in ("a", "b")}, 2
    )
    drawn = resample(evidence, 0, 0)
    np.testing.assert_array_equal(drawn["a"]["right"], drawn["b"]["right"])


def test_no_resamples_and_undefined_values_have_no_interval():
    none = bootstrap_intervals(
        accuracy, evidence_of(RIGHT), resamples=0, seed=0
    )
    undefined = bootstrap_intervals(
        lambda evidence: {"accuracy": np.nan},
        evidence_of(RIGHT),
        resamples=30,
        seed=0,
    )
    for found in (none, undefined):
        assert np.isnan(found["accuracy"]).all()


def test_ends_stay_where_the_measure_can_be():
    ones = np.ones(30)
    ones[0] = 0
    found = bootstrap_intervals(
        accuracy, evidence_of(ones), resamples=200, seed=0
    )["accuracy"]
    assert found.high <= 1.0


@pytest.mark.parametrize("resamples", [1, 19])
def test_few_resamples_give_no_interval(resamples):
    found = bootstrap_intervals(
        accuracy, evidence_of(RIGHT), resamples=resamples, seed=0
    )["accuracy"]
    assert np.isnan(found).all()


@pytest.mark.parametrize(
    "size, is_known", [(1, False), (19, False), (20, True)]
)
def test_few_examples_give_no_interval(size, is_known):
    found = bootstrap_intervals(
        accuracy, evidence_of(RIGHT[:size]), resamples=50, seed=0
    )["accuracy"]
    assert np.isfinite(found).all() == is_known


def test_the_smallest_set_counts():
    # A perfect ranking of one unknown example is one in all resamples.
    sets = {
        name: Examples({"right": RIGHT[:size]})
        for name, size in (("test", 400), ("unknown", 1))
    }
    found = draw_measures(accuracy, Evidence(sets, 2), resamples=50, seed=0)
    assert found == {}


@pytest.mark.parametrize(
    "finite, resamples, is_known",
    [
        (1, 1000, False),
        (20, 20, True),
        (19, 20, False),
        (49, 100, False),
        (50, 100, True),
    ],
)
def test_half_of_the_draws_must_be_finite(finite, resamples, is_known):
    drawn = [0.4, 0.6] * resamples
    drawn = drawn[:finite] + [np.nan] * (resamples - finite)
    found = moved_percentiles(0.5, drawn)
    assert np.isfinite(found).all() == is_known


@pytest.mark.parametrize("resamples", [20, 50])
def test_a_measure_lies_in_its_interval_however_skewed(resamples):
    right = np.zeros(40)
    right[3] = 1
    found = bootstrap_intervals(
        accuracy, evidence_of(right), resamples=resamples, seed=0
    )["accuracy"]
    assert 0 <= found.low <= 1 / 40 <= found.high
