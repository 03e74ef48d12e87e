"""Only what is comparable is compared."""

import dataclasses

import keras
import numpy as np
import pytest

import keras_plex
from keras_plex.tasks import ActiveLearning
from keras_plex.tasks import Comparison
from keras_plex.tasks import CovariateShift
from keras_plex.tasks import FewShotLearning
from keras_plex.tasks import OpenSetRecognition
from keras_plex.tasks import Report
from keras_plex.tasks.comparisons.checks import check_comparable
from keras_plex.tasks.comparisons.checks import check_names
from keras_plex.tasks.comparisons.checks import check_reports
from keras_plex.tasks.comparisons.checks import checked_baseline
from tests.report_cases import report
from tests.report_cases import result
from tests.task_cases import NEAR
from tests.task_cases import TEST
from tests.task_cases import TRAIN
from tests.task_cases import logits_model


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


def test_reports_are_needed():
    check_reports({"a": report(), "b": report()})
    with pytest.raises(ValueError, match="must be a `Report`.*Received: 'dir'"):
        check_reports({"a": report(), "b": "dir"})


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


X, Y = TEST
IMAGES = np.random.default_rng(0).random((8, 28, 28, 1), "float32"), Y[:8]


def shift(*corruptions, **options):
    return CovariateShift(IMAGES, corruptions=corruptions, **options)


def open_set(**options):
    return OpenSetRecognition(X, {"near": NEAR}, **options)


def evaluate(task, model=None):
    if model is None:
        layers = keras.layers.Flatten(), keras.layers.Dense(4)
        shape = (28, 28, 1) if task.kind == "covariate_shift" else (4,)
        model = keras.Sequential([keras.Input(shape), *layers])
    return keras_plex.evaluate(model, task, resamples=0, verbose=0)


OTHERS = {
    "corruptions": (
        lambda: shift("contrast", severities=(1,)),
        lambda: shift("brightness", severities=(1,)),
        r"The sets .* {'contrast/1'.*Received: {'brightness/1'",
    ),
    "severities": (
        lambda: shift("contrast", severities=(1, 2)),
        lambda: shift("contrast", severities=(1,)),
        r"The sets .*'contrast/2'.*Received: {}",
    ),
    "value_range": (
        lambda: shift("contrast", severities=(1,)),
        lambda: shift("contrast", severities=(1,), value_range=(0, 2)),
        "The sets .*Received: {'contrast/1': .*2",
    ),
    "budget": (
        lambda: ActiveLearning(TRAIN, TEST, budget=24),
        lambda: ActiveLearning(TRAIN, TEST, budget=16),
        "The option 'budget' of the task 'active_learning' of 'y' .*, 24: .*16",
    ),
    "shots": (
        lambda: FewShotLearning(TRAIN, TEST, shots=(1, 4)),
        lambda: FewShotLearning(TRAIN, TEST, shots=(1, 5)),
        r"The option 'shots' .* \[1, 4\]: .* \[1, 5\]",
    ),
    "l2": (
        lambda: FewShotLearning(TRAIN, TEST, shots=(1,), l2=1.0),
        lambda: FewShotLearning(TRAIN, TEST, shots=(1,), l2=2.0),
        "The option 'l2' .* 1.0: .* 2.0",
    ),
    "scores": (
        lambda: open_set(scores=["msp"]),
        lambda: open_set(scores=["energy"]),
        r"The option 'scores' .*'msp'.*Received: \['energy'",
    ),
}
# What no name of a measure shows.
UNNAMED = ("l2", "value_range")


@pytest.mark.parametrize("name", list(OTHERS))
def test_other_options_are_refused(name, tmp_path):
    make, make_other, message = OTHERS[name]
    one, other = evaluate(make()), evaluate(make_other())
    one = Report.load(one.save(tmp_path))
    with pytest.raises(ValueError, match=message):
        Comparison.from_reports({"x": one, "y": other})
    check_comparable({"x": one, "y": evaluate(make())}, "x")
    if name not in UNNAMED:
        old = [_as_before_settings(report) for report in (one, other)]
        with pytest.raises(ValueError, match="The measures of the task"):
            check_comparable({"x": one, "y": old[1]}, "x")
        check_comparable({"x": one, "y": old[0]}, "x")


def test_the_same_images_may_come_in_the_range_of_each_model():
    def in_range(high, severities=(1,)):
        batches = [(high * IMAGES[0], IMAGES[1])]
        return evaluate(
            CovariateShift(
                batches,
                corruptions=["contrast"],
                severities=severities,
                value_range=(0, high),
            )
        )

    one, other = in_range(1.0), in_range(255.0)
    assert one.results[0].settings["sets"] != other.results[0].settings["sets"]
    check_comparable({"x": one, "y": other}, "x")
    with pytest.raises(ValueError, match="The sets .*'contrast/2'"):
        check_comparable({"x": one, "y": in_range(255.0, (1, 2))}, "x")


def test_of_many_sets_an_error_shows_a_few():
    severities = (1, 2, 3, 4, 5)
    one = evaluate(shift("contrast", "fog", "pixelate", severities=severities))
    other = evaluate(shift("brightness", severities=severities))
    with pytest.raises(ValueError, match=r"The sets .*\.\.\.: ") as caught:
        check_comparable({"x": one, "y": other}, "x")
    assert len(str(caught.value)) < 1000


def _as_before_settings(report):
    results = [dataclasses.replace(x, settings=None) for x in report.results]
    return dataclasses.replace(report, results=tuple(results))


def test_an_ensemble_may_have_more_scores():
    members = [logits_model(), logits_model()]
    reports = {
        "stock": evaluate(open_set(), logits_model()),
        "two": evaluate(open_set(), keras_plex.models.DeepEnsemble(members)),
        "more": evaluate(open_set(scores=["msp", "energy"]), logits_model()),
    }
    names = [set(one.results[0].measures) for one in reports.values()]
    assert names[0] < names[1]
    check_comparable(reports, "stock")
    old = {name: _as_before_settings(one) for name, one in reports.items()}
    check_comparable(old, "stock")
