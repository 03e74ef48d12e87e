"""What one machine does of an evaluation."""

import numpy as np
import pytest

from keras_plex.tasks import Calibration
from keras_plex.tasks import InDistribution
from keras_plex.tasks import SubpopulationShift
from keras_plex.tasks.fingerprints import fingerprint_arrays
from keras_plex.tasks.scale.evaluate_shard import evaluate_shard
from tests.task_cases import GROUPS
from tests.task_cases import TEST
from tests.task_cases import logits_model
from tests.tasks.collect_test import counting_model
from tests.tasks.resume.collect_or_restore_test import OwnTask

X, Y = TEST


def test_a_shard_passes_its_batches_once():
    counts = []
    shard = evaluate_shard(
        counting_model(counts),
        [Calibration(TEST), InDistribution(TEST)],
        shard=1,
        num_shards=3,
    )
    assert counts == [32, 32, 32]
    columns = shard.columns["calibration", "test"]
    expected = [*range(32, 64), *range(128, 160), *range(224, 256)]
    assert columns["index"].tolist() == expected
    assert shard.model["parameters"] == 16


def test_groups_of_arrays_are_those_of_its_examples():
    shard = evaluate_shard(
        logits_model(),
        [SubpopulationShift((X, Y, GROUPS))],
        shard=1,
        num_shards=2,
    )
    columns = shard.columns["subpopulation_shift", "test"]
    assert columns["group"].tolist() == GROUPS[columns["index"]].tolist()


def test_a_set_with_fewer_batches_is_left_out():
    tasks = [Calibration((X[:10], Y[:10])), InDistribution(TEST)]
    shard = evaluate_shard(logits_model(), tasks, shard=1, num_shards=2)
    assert set(shard.columns) == {("in_distribution", "test")}
    assert set(shard.sets) == {
        ("calibration", "test"),
        ("in_distribution", "test"),
    }


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"shard": 2}, "from 0 to 1.*shard=2"),
        ({"shard": -1}, "shard=-1"),
        ({"shard": True}, "shard=True"),
        ({"num_shards": 0}, "num_shards=0"),
        ({"batch_size": 0}, "batch_size=0"),
        ({"tasks": []}, "must hold a task"),
        ({"tasks": [Calibration(X)]}, "needs labels"),
        ({"tasks": [OwnTask(TEST)]}, r"no shards.*\['own'\]"),
    ],
)
def test_what_is_wrong_is_refused(arguments, message):
    options = {"tasks": [Calibration(TEST)], "shard": 0, "num_shards": 2}
    with pytest.raises(ValueError, match=message):
        evaluate_shard(logits_model(), **{**options, **arguments})


def test_the_first_shard_has_the_fingerprints_of_the_whole():
    first, second = [
        evaluate_shard(
            logits_model(), [Calibration(TEST)], shard=number, num_shards=2
        ).tasks["calibration"]["fingerprints"]
        for number in range(2)
    ]
    assert first == fingerprint_arrays(Calibration(TEST).data_sets())
    assert list(first) == ["test"] and second == {}


def test_lists_are_taken_as_evaluate_takes_them():
    model, how = logits_model(), {"shard": 0, "num_shards": 2}
    shard = evaluate_shard(model, [Calibration((X, Y.tolist()))], **how)
    expected = evaluate_shard(model, [Calibration((X, Y))], **how)
    place = "calibration", "test"
    for name, column in expected.columns[place].items():
        np.testing.assert_array_equal(shard.columns[place][name], column)
