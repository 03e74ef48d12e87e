"""Named benchmarks are asked for by their names."""

import pytest

from keras_plex.cli import named_tasks
from tests.task_cases import logits_model


def test_where_there_are_none_that_is_said(monkeypatch):
    monkeypatch.setattr(named_tasks, "MODULE", "keras_plex.no_such_file")
    assert named_tasks.describe_benchmarks() == []
    with pytest.raises(ValueError, match="no named benchmarks.*open_set/x"):
        named_tasks.load_named_tasks(["open_set/x"], logits_model())


def test_they_are_listed_with_their_data():
    pytest.importorskip(named_tasks.MODULE)
    found = {one["name"]: one for one in named_tasks.describe_benchmarks()}
    data = found["open_set/cifar10"]["data_sets"]
    assert {"cifar10", "cifar100", "svhn_cropped"} <= {d["name"] for d in data}


def test_data_that_are_missing_are_named(tmp_path):
    pytest.importorskip(named_tasks.MODULE)
    with pytest.raises(ValueError):
        named_tasks.load_named_tasks(
            ["open_set/cifar10"], logits_model(), data_dir=tmp_path
        )
