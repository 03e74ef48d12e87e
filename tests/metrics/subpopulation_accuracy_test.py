"""Statistics of the accuracy of groups."""

import numpy as np
import pytest

from keras_plex.metrics import SubpopulationAccuracy
from keras_plex.metrics import subpopulation_accuracy

# Ten clients of five examples: accuracies 0 (seven times), 0.2, 0.4, 0.6.
RIGHT = [0] * 7 + [1, 2, 3]
GROUPS = np.repeat(np.arange(10), 5)
LABELS = np.concatenate([[0] * n + [1] * (5 - n) for n in RIGHT])
FORECASTS = np.tile([0.9, 0.1], (50, 1))

STATISTICS = {
    "worst": 0.0,
    "mean": 0.12,
    "median": 0.0,
    "variance": 0.0416,
    "p95": 0.51,
    "p75": 0.15,
    "p25": 0.0,
    "p05": 0.0,
    "p100": 0.6,
}


@pytest.mark.parametrize("statistic", STATISTICS)
def test_published_numbers_of_ten_clients(statistic):
    metric = SubpopulationAccuracy(10, statistic)
    metric.update_state(LABELS, FORECASTS, groups=GROUPS)
    expected = pytest.approx(STATISTICS[statistic], abs=1e-6)
    assert float(metric.result()) == expected
    assert metric.name == f"{statistic}_subpopulation_accuracy"
    value = subpopulation_accuracy(
        LABELS, FORECASTS, GROUPS, statistic=statistic
    )
    assert value == expected


@pytest.mark.parametrize("percent", [0, 3, 12.5, 50, 87, 100])
def test_percentiles_equal_numpy(percent):
    labels = np.random.default_rng(0).integers(2, size=50)
    accuracies = [np.mean(labels[GROUPS == g] == 0) for g in range(10)]
    value = subpopulation_accuracy(
        labels, FORECASTS, GROUPS, statistic=f"p{percent}"
    )
    assert value == pytest.approx(np.percentile(accuracies, percent), abs=1e-6)


def test_all_groups_can_be_read():
    metric = SubpopulationAccuracy(11)
    metric.update_state(LABELS, FORECASTS, groups=GROUPS)
    expected = [*(n / 5 for n in RIGHT), np.nan]
    np.testing.assert_allclose(metric.group_accuracies(), expected, atol=1e-6)


@pytest.mark.parametrize("statistic", ["worst", "mean", "variance", "p05"])
def test_groups_without_weight_do_not_count(statistic):
    weights = np.where(GROUPS >= 8, 1.0, 0.0)  # accuracies 0.4 and 0.6
    value = subpopulation_accuracy(
        LABELS, FORECASTS, GROUPS, statistic=statistic, sample_weight=weights
    )
    expected = {"worst": 0.4, "mean": 0.5, "variance": 0.01, "p05": 0.41}
    assert value == pytest.approx(expected[statistic], abs=1e-6)


def test_the_last_column_of_the_labels_is_the_group():
    expected = SubpopulationAccuracy(10, "mean")
    expected.update_state(LABELS, FORECASTS, groups=GROUPS)
    for labels in (LABELS[:, None], np.eye(2)[LABELS]):
        metric = SubpopulationAccuracy(10, "mean")
        metric.update_state(np.hstack([labels, GROUPS[:, None]]), FORECASTS)
        assert float(metric.result()) == float(expected.result())


@pytest.mark.parametrize("group", [-1, 10, 0.5, np.nan])
def test_a_group_that_is_none_gives_nan(group):
    groups = GROUPS.astype("float32")
    groups[3] = group
    for statistic in ("worst", "mean", "p75"):
        metric = SubpopulationAccuracy(10, statistic)
        metric.update_state(LABELS, FORECASTS, groups=groups)
        assert np.isnan(float(metric.result()))


def test_labels_without_a_group_are_an_error():
    with pytest.raises(ValueError, match="last column of `y_true` must be the"):
        SubpopulationAccuracy(10).update_state(LABELS, FORECASTS)


def test_groups_of_another_length_are_an_error():
    with pytest.raises(ValueError, match="`groups` must have one row per"):
        SubpopulationAccuracy(10).update_state(
            LABELS, FORECASTS, groups=GROUPS[:-1]
        )


@pytest.mark.parametrize("num_groups", [0, -1, 2.0, True])
def test_num_groups_must_be_a_positive_integer(num_groups):
    with pytest.raises(ValueError, match="`num_groups` must be a positive"):
        SubpopulationAccuracy(num_groups)


@pytest.mark.parametrize("statistic", ["best", "p", "p101", "p-5", None])
def test_an_unknown_statistic_lists_those_there_are(statistic):
    with pytest.raises(
        ValueError, match="Unknown statistic.*'variance'.*'p25'"
    ):
        SubpopulationAccuracy(3, statistic)
