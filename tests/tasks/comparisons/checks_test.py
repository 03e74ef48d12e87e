"""Only what is comparable is compared."""

import pytest

from keras_plex.tasks.comparisons.checks import check_comparable
from keras_plex.tasks.comparisons.checks import check_names
from keras_plex.tasks.comparisons.checks import checked_baseline
from tests.report_cases import report
from tests.report_cases import result


@pytest.mark.parametrize(
    "items, message",
    [
        ([1, 2], "must be a dict by name.*Received: list"),
        ({}, r"at least two.*Received: \[\]"),
        ({"a": 1}, r"at least two.*Received: \['a'\]"),
        ({"a": 1, 2: 3}, "must be strings.*Received: 2"),
        ({"a": 1, "": 3}, "not empty. Received: ''"),
    ],
)
def test_names_are_needed(items, message):
    with pytest.raises(ValueError, match=message):
        check_names(items, "models")


def test_the_baseline_is_the_first_or_one_that_is_there():
    assert checked_baseline({"a": 1, "b": 2}, None) == "a"
    assert checked_baseline({"a": 1, "b": 2}, "b") == "b"
    with pytest.raises(ValueError, match="Unknown baseline: 'c'.*'a', 'b'"):
        checked_baseline({"a": 1, "b": 2}, "c")


def settings(**changes):
    return {"seed": 0, "resamples": 50, "max_examples": None, **changes}


@pytest.mark.parametrize(
    "other, message",
    [
        (report(), "The list of tasks"),
        (report(result("b", {"ece": 0.1})), "The list of tasks"),
        (
            report(result("a", {"ece": 0.1}), settings=settings(seed=1)),
            "The setting seed",
        ),
        (
            report(result("a", {"ece": 0.1}), settings=settings(resamples=1)),
            "The setting resamples",
        ),
        (
            report(result("a", {"ece": 0.1}, num_classes=9)),
            "The number of classes of the task 'a' of 'y' must be .* 4: eval",
        ),
        (
            report(result("a", {"ece": 0.1}, num_examples={"test": 1})),
            "The examples of the task 'a'.*Received: {'test': 1}",
        ),
        (
            report(result("a", {"ece": 0.1}, fingerprints={"test": "cd"})),
            "The data 'test' of the task 'a'",
        ),
    ],
)
def test_other_tasks_data_or_draws_are_refused(other, message):
    one = report(result("a", {"ece": 0.1}, fingerprints={"test": "ab"}))
    with pytest.raises(ValueError, match=message):
        check_comparable({"x": one, "y": other}, "x")


def test_data_without_fingerprint_are_believed():
    one = report(result("a", {"ece": 0.1}, fingerprints={"test": "ab"}))
    other = report(result("a", {"auroc": 0.1}))
    check_comparable({"x": one, "y": other}, "x")
