"""Parts of a task, joined, are the task."""

import numpy as np

from keras_plex.tasks import Calibration
from keras_plex.tasks import InDistribution
from keras_plex.tasks import OpenSetRecognition
from keras_plex.tasks.parts import Columns
from keras_plex.tasks.parts import Part
from keras_plex.tasks.parts import ReadyScores
from keras_plex.tasks.parts import join_parts
from keras_plex.tasks.parts import shares_passes
from keras_plex.tasks.parts import uses_by_data_set
from tests.task_cases import NEAR
from tests.task_cases import TEST
from tests.task_cases import draw
from tests.task_cases import logits_model


def test_uses_of_one_data_set_stand_together():
    tasks = [Calibration(TEST), InDistribution(TEST), InDistribution(draw(3))]
    uses = list(uses_by_data_set(tasks).values())
    assert [[use.place for use in group] for group in uses] == [
        [("calibration", "test"), ("in_distribution", "test")],
        [("in_distribution", "test")],
    ]


def test_parts_joined_are_the_whole():
    model = logits_model()
    task = OpenSetRecognition(TEST, {"near": NEAR}, training=draw(3))
    scores = ReadyScores(model, 32, None)
    found = {}
    for [use] in uses_by_data_set([task]).values():
        evidence = Part(*use, scores.of(task)).predict(model)
        columns = evidence[use.set_name].columns
        found[use.place] = Columns(columns, evidence.num_classes, 1.5)
    joined, whole = join_parts(task, found), task.predict(model)
    assert joined.seconds == 3.0 and joined.num_classes == 4
    assert list(joined.sets) == list(whole.sets)
    for name, examples in whole.sets.items():
        assert list(joined[name].columns) == list(examples.columns)
        for column, values in examples.columns.items():
            np.testing.assert_array_equal(joined[name][column], values)


def test_scores_are_fitted_once():
    scores = ReadyScores(logits_model(), 32, None)
    task = OpenSetRecognition(TEST, NEAR, scores=["knn"], training=TEST)
    assert scores.of(task) is scores.of(task)
    assert scores.of(task)[0].parameters


def test_a_task_with_a_predict_of_its_own_shares_nothing():
    class Own(Calibration):
        def predict(self, model, **options):
            return super().predict(model, **options)

    assert shares_passes(Calibration(TEST))
    assert not shares_passes(Own(TEST))
