"""All shards together give the report of `evaluate`, to the last bit."""

import dataclasses

import numpy as np
import pytest

import keras_plex
from keras_plex.tasks import Calibration
from keras_plex.tasks import Comparison
from keras_plex.tasks import InDistribution
from keras_plex.tasks import OpenSetRecognition
from keras_plex.tasks import SubpopulationShift
from keras_plex.tasks.collect import collect_evidence
from keras_plex.tasks.parts import shares_passes
from keras_plex.tasks.scale.evaluate_shard import evaluate_shard
from keras_plex.tasks.scale.measure_shards import measure_shards
from keras_plex.tasks.scale.measure_shards import merge_shards
from keras_plex.tasks.scale.shards import Shard
from tests.task_cases import GROUPS
from tests.task_cases import NEAR
from tests.task_cases import TASKS
from tests.task_cases import TEST
from tests.task_cases import draw
from tests.task_cases import logits_model
from tests.task_cases import poor_model
from tests.tasks.fingerprints_test import small_plex
from tests.tasks.resume.collect_or_restore_test import same

TASK = Calibration(TEST)


def all_shards(model, tasks, num_shards, **options):
    return [
        evaluate_shard(
            model, tasks, shard=number, num_shards=num_shards, **options
        )
        for number in range(num_shards)
    ]


@pytest.mark.parametrize(
    "num_shards, options",
    [(1, {}), (3, {}), (2, {"batch_size": 70}), (4, {"max_examples": 70})],
)
def test_shards_merge_to_the_whole_bit_for_bit(num_shards, options):
    model = small_plex()
    model.fit_covariance(TEST)
    tasks = [case.make_task() for case in TASKS.values()]
    tasks = [task for task in tasks if shares_passes(task)]
    tasks.append(
        OpenSetRecognition(TEST, NEAR, training=draw(3), name="with_training")
    )
    shards = all_shards(model, tasks, num_shards, **options)
    merged = merge_shards(shards[::-1])
    whole = collect_evidence(model, tasks, **options)
    for task, evidence in zip(tasks, whole, strict=True):
        for name, examples in evidence.sets.items():
            found = merged[task.name, name].columns
            assert set(found) == set(examples.columns)
            for column, values in examples.columns.items():
                np.testing.assert_array_equal(found[column], values)
    report = keras_plex.evaluate(
        model, tasks, resamples=3, verbose=0, **options
    )
    found = measure_shards(tasks, shards, resamples=3)
    same(found, report)
    assert found.reliability_score == report.reliability_score
    assert found.settings == report.settings
    assert found.parameters == report.parameters
    assert found.ensemble_size == report.ensemble_size == 3


def test_shards_of_other_tasks_are_refused():
    both = [TASK, InDistribution(TEST)]
    model = logits_model()
    first = evaluate_shard(model, both, shard=0, num_shards=2)
    second = evaluate_shard(model, [TASK], shard=1, num_shards=2)
    for shards in ([first, second], [second, first]):
        with pytest.raises(ValueError, match="one model.*in_distribution"):
            measure_shards(both, shards)


class Shorter:
    """Batches of 50, the first `count` of them."""

    def __init__(self, arrays, count):
        self.arrays, self.count = arrays, count

    def __iter__(self):
        for number in range(self.count):
            rows = slice(50 * number, 50 * (number + 1))
            yield tuple(array[rows] for array in self.arrays)


X, Y = TEST


@pytest.mark.parametrize(
    "data, other",
    [
        (TEST, (X + 100, Y)),
        (TEST, (X, (Y + 1) % 4)),
        (TEST, (X[::-1], Y[::-1])),
        (TEST, (X[:-1], Y[:-1])),
        (Shorter(TEST, 6), Shorter((X + 100, Y), 6)),
        (Shorter(TEST, 6), Shorter(TEST, 5)),
    ],
    ids=["x", "y", "order", "size", "batches", "end"],
)
def test_shards_of_other_data_are_refused(data, other):
    model = logits_model()
    first = evaluate_shard(model, Calibration(data), shard=0, num_shards=2)
    second = evaluate_shard(model, Calibration(other), shard=1, num_shards=2)
    with pytest.raises(ValueError, match="same data.*calibration/test"):
        measure_shards(Calibration(data), [first, second])


def test_each_example_must_be_there_once():
    first, second = all_shards(logits_model(), [TASK], 2)
    kept = first.columns["calibration", "test"]
    for rows, message in (
        (slice(1, None), "299 rows, 299 of them different, for 300 examples"),
        (slice(None, -1), "299 rows"),
        (np.arange(len(kept["index"])) // 2 * 2, "300 rows, 22. of them"),
    ):
        columns = {name: one[rows] for name, one in kept.items()}
        part = dataclasses.replace(
            first, columns={("calibration", "test"): columns}
        )
        with pytest.raises(ValueError, match=f"{message}.*calibration/test"):
            measure_shards([TASK], [part, second])


def test_shards_from_files_are_as_good(tmp_path):
    tasks = [TASK]
    for shard in all_shards(logits_model(), tasks, 3):
        shard.save(tmp_path / f"{shard.number}.npz")
    shards = [Shard.load(path) for path in tmp_path.iterdir()]
    report = keras_plex.evaluate(logits_model(), tasks, resamples=2, verbose=0)
    same(measure_shards(tasks, shards, resamples=2), report)


def test_what_does_not_belong_together_is_refused():
    first, second, third = all_shards(logits_model(), [TASK], 3)
    other = evaluate_shard(poor_model(), [TASK], shard=1, num_shards=3)
    for shards, message in (
        ([], r"must hold a shard.*\[\]"),
        ([first, third], r"Each of 3 shards.*\[0, 2\]"),
        ([first, second, second, third], r"\[0, 1, 1, 2\]"),
        ([first, other, third], "one evaluation of one model.*shard 1"),
        (
            [first, dataclasses.replace(second, num_shards=2), third],
            "num_shards=3 in shard 0, num_shards=2 in shard 1",
        ),
    ):
        with pytest.raises(ValueError, match=message):
            measure_shards([TASK], shards)
    with pytest.raises(ValueError, match="Missing.*in_distribution"):
        measure_shards([InDistribution(TEST)], [first, second, third])
    with pytest.raises(ValueError, match="resamples=-1"):
        measure_shards([TASK], [first, second, third], resamples=-1)


def test_a_machine_without_the_data_gives_the_same_report(tmp_path):
    def make(test, near, batches):
        return [
            Calibration(test),
            OpenSetRecognition(test, {"near": near}),
            InDistribution(batches),
        ]

    tasks = make(TEST, NEAR, Shorter(TEST, 6))
    report = keras_plex.evaluate(logits_model(), tasks, resamples=2, verbose=0)
    for shard in all_shards(logits_model(), tasks, 2):
        shard.save(tmp_path / f"{shard.number}.npz")
    shards = [Shard.load(path) for path in sorted(tmp_path.iterdir())]
    empty = X[:0], Y[:0]
    found = measure_shards(
        make(empty, X[:0], Shorter(empty, 0)), shards[::-1], resamples=2
    )
    same(found, report)
    for one, other in zip(found.results, report.results, strict=True):
        assert one.fingerprints == other.fingerprints
        assert one.settings == other.settings
    assert set(found["calibration"].fingerprints) == {"test"}
    assert found["in_distribution"].fingerprints == {}
    Comparison.from_reports({"whole": report, "merged": found})


@pytest.mark.parametrize(
    "task",
    [
        InDistribution(TEST, name="calibration"),
        SubpopulationShift((*TEST, GROUPS), name="calibration"),
    ],
)
def test_a_task_of_another_kind_is_refused(task):
    shards = all_shards(logits_model(), [TASK], 2)
    with pytest.raises(ValueError, match=f"'calibration' must .*{task.kind}"):
        measure_shards([task], shards)


def test_a_task_with_other_options_is_refused():
    def make(score):
        return OpenSetRecognition(X, {"near": NEAR}, scores=[score])

    shards = all_shards(logits_model(), [make("msp")], 2)
    with pytest.raises(ValueError, match="must be that of the shards.*energy"):
        measure_shards([make("energy")], shards)
