"""A shard survives a file."""

import numpy as np
import pytest

from keras_plex.tasks import SubpopulationShift
from keras_plex.tasks.resume.files import write_columns
from keras_plex.tasks.scale.evaluate_shard import evaluate_shard
from keras_plex.tasks.scale.shards import Shard
from tests.task_cases import GROUPS
from tests.task_cases import TEST
from tests.task_cases import logits_model


def test_a_file_gives_the_shard_again(tmp_path):
    task = SubpopulationShift((*TEST, GROUPS), name="by/writer")
    shard = evaluate_shard(logits_model(), [task], shard=0, num_shards=2)
    shard.save(tmp_path / "0.npz")
    loaded = Shard.load(tmp_path / "0.npz")
    assert loaded.model == shard.model and loaded.settings == shard.settings
    assert (loaded.number, loaded.num_shards, loaded.num_classes) == (0, 2, 4)
    assert loaded.sets == shard.sets and loaded.tasks == shard.tasks
    assert loaded.tasks["by/writer"]["kind"] == "subpopulation_shift"
    assert loaded.sets["by/writer", "test"]["examples"] == len(GROUPS)
    assert list(loaded.columns) == list(shard.columns)
    for name, column in shard.columns["by/writer", "test"].items():
        found = loaded.columns["by/writer", "test"][name]
        np.testing.assert_array_equal(found, column)


def test_another_file_is_refused(tmp_path):
    np.savez(tmp_path / "x.npz", x=np.ones(2))
    for name in ("x.npz", "missing.npz"):
        with pytest.raises(
            ValueError, match=f"that `Shard.save` wrote.*{name}"
        ):
            Shard.load(tmp_path / name)


def test_an_older_file_is_refused(tmp_path):
    path = tmp_path / "old.npz"
    write_columns(path, {"schema": "keras_plex.shard/2"}, {})
    with pytest.raises(ValueError, match="shard/3': evaluate.*shard/2'"):
        Shard.load(path)
