"""The settings of a task are told, without its data."""

import functools
import json

import numpy as np
import pytest

from keras_plex.scores import NearestNeighbors
from keras_plex.tasks import ActiveLearning
from keras_plex.tasks import CovariateShift
from keras_plex.tasks import FewShotUncertainty
from keras_plex.tasks import OpenSetRecognition
from keras_plex.tasks import Task
from keras_plex.tasks.data_set import DataSet
from keras_plex.tasks.settings import describe_settings
from tests.task_cases import NEAR
from tests.task_cases import TASKS
from tests.task_cases import TEST
from tests.task_cases import TRAIN

X, Y = TEST
IMAGES = X.reshape(-1, 2, 2, 1).clip(0, 1), Y


@pytest.mark.parametrize("name", list(TASKS))
def test_they_are_small_and_survive_json(name):
    found = describe_settings(TASKS[name].make_task())
    text = json.dumps(found)
    assert json.loads(text) == found and len(text) < 600
    assert found == describe_settings(TASKS[name].make_task())


def options(task):
    return describe_settings(task)["options"]


def test_options_are_those_of_the_constructor():
    task = FewShotUncertainty(
        TRAIN, TEST, {"near": NEAR}, shots=(1, 5), l2=2.0, name="mine"
    )
    assert options(task) == {"shots": [1, 5], "l2": 2.0, "seed": None}
    assert list(describe_settings(task)["sets"]) == [
        "train",
        "test",
        "ood/near",
    ]


def test_corruptions_are_those_of_sets():
    task = CovariateShift(
        IMAGES, corruptions=["contrast"], severities=[2], value_range=(0, 2)
    )
    assert describe_settings(task) == {
        "options": {},
        "sets": {"clean": None, "contrast/2": ["contrast", 2, [0, 2]]},
    }


def train(model, x, y, epochs=1):
    return model


def test_functions_are_told_by_name():
    for fit in (train, functools.partial(train, epochs=2)):
        task = ActiveLearning(TRAIN, TEST, fit=fit, directory="x")
        found = options(task)
        assert found["fit"] == f"{__name__}.train"
        assert found["acquisition"] == ["margin", "uniform"]
        assert "directory" not in found


@pytest.mark.parametrize(
    "scores, told",
    [
        (None, ["msp", {}]),
        (["msp", "energy"], ["msp", {}]),
        (["energy", "msp"], ["energy", {}]),
    ],
)
def test_of_scores_the_first_counts(scores, told):
    task = OpenSetRecognition(X, NEAR, scores=scores)
    assert options(task)["scores"] == told


def test_options_of_a_score_count():
    for k in (50, 7):
        score = NearestNeighbors(k)
        task = OpenSetRecognition(X, NEAR, scores=[score], training=TRAIN)
        name, config = options(task)["scores"]
        assert name == "knn" and config["k"] == k
    by_name = OpenSetRecognition(X, NEAR, scores=["knn"], training=TRAIN)
    assert options(by_name)["scores"][1]["k"] == 50


class MyTask(Task):
    """Keeps what is no option, too."""

    kind = "mine"

    def __init__(self, test, texts, rule=None, *, size=2):
        super().__init__()
        self.test, self.texts = DataSet(test), texts
        self.size = np.float32(size)
        self.rule, self.runs = rule, 0

    def data_sets(self):
        return {"test": self.test}


def test_what_is_long_or_an_object_is_told_by_its_kind():
    found = options(MyTask(TEST, ["a"] * 1000, object()))
    assert found == {
        "texts": "list of 1000",
        "rule": "builtins.object",
        "size": 2.0,
    }
