"""Accuracy and likelihood by shots."""

import numpy as np

from keras_plex.tasks import FewShotLearning
from tests.task_cases import TEST
from tests.task_cases import draw
from tests.task_cases import logits_model


def test_more_shots_are_better_and_drawn():
    task = FewShotLearning(draw(3), TEST)
    evidence = task.predict(logits_model())
    measured = task.measure(evidence)
    assert measured["25_shot/accuracy"] > measured["1_shot/accuracy"]
    assert measured["25_shot/nll"] < measured["1_shot/nll"]
    assert measured["accuracy"] == np.mean(
        [measured[f"{shots}_shot/accuracy"] for shots in (5, 10, 25)]
    )
    curve = task.curves(evidence)["few_shot"]
    assert curve["shots"] == [1, 5, 10, 25]
    assert curve["accuracy"][2] == measured["10_shot/accuracy"]
    assert curve["nll"][0] == measured["1_shot/nll"]
    assert {one.drawn_with for one in evidence.sets.values()} == {"test"}
