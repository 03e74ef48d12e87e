"""Each data set passes once, whatever the number of tasks."""

import keras
import numpy as np
import pytest

import keras_plex
from keras_plex.tasks import Calibration
from keras_plex.tasks import CovariateShift
from keras_plex.tasks import InDistribution
from keras_plex.tasks import OpenSetRecognition
from keras_plex.tasks import SelectivePrediction
from keras_plex.tasks import SubpopulationShift
from keras_plex.tasks.collect import collect_evidence
from tests.task_cases import GROUPS
from tests.task_cases import NEAR
from tests.task_cases import TEST
from tests.task_cases import draw
from tests.task_cases import logits_model

X, Y = TEST


def counting_model(counts):
    model = logits_model()
    predict = model.predict_on_batch

    def predict_on_batch(x):
        counts.append(len(x))
        return predict(x)

    model.predict_on_batch = predict_on_batch
    return model


def test_tasks_share_the_passes_over_their_data():
    counts, shifted = [], draw(2)
    tasks = [
        Calibration((X, Y)),
        SelectivePrediction((X, Y)),
        InDistribution((X, Y)),
        OpenSetRecognition((X, Y), {"near": NEAR}),
        CovariateShift((X, Y), {"other": shifted}),
        SubpopulationShift((X, Y, GROUPS)),
    ]
    collect_evidence(counting_model(counts), tasks)
    assert sum(counts) == len(X) + len(NEAR) + len(shifted[0])


def test_together_is_as_alone():
    model = logits_model()
    tasks = [
        Calibration(TEST),
        OpenSetRecognition(TEST, NEAR, scores=["msp", "energy"]),
        OpenSetRecognition(TEST, NEAR, scores=["entropy"], name="second"),
    ]
    together = collect_evidence(model, tasks)
    for task, evidence in zip(tasks, together, strict=True):
        assert task.measure(evidence) == task.measure(task.predict(model))
    assert "score/entropy" not in together[1]["test"].columns


@pytest.mark.parametrize("batch_size", [3, 32])
def test_max_examples_are_the_first(batch_size):
    [evidence] = collect_evidence(
        logits_model(),
        [Calibration(TEST)],
        batch_size=batch_size,
        max_examples=10,
    )
    assert len(evidence["test"]) == 10
    expected = X[:10].argmax(-1) == Y[:10]
    np.testing.assert_array_equal(evidence["test"]["right"], expected)


def test_neither_inputs_nor_forecasts_are_kept():
    [evidence] = collect_evidence(logits_model(), [Calibration(TEST)])
    shapes = {column.shape for column in evidence["test"].columns.values()}
    assert shapes == {(len(X),)}


def test_progress_is_told_by_set():
    calls = []
    collect_evidence(
        logits_model(),
        [Calibration(TEST), Calibration([TEST], name="batches")],
        batch_size=200,
        on_progress=lambda *call: calls.append(call),
    )
    assert calls == [
        ("calibration: test", 200, 300),
        ("calibration: test", 300, 300),
        ("batches: test", 300, None),
    ]


def test_a_tensorflow_data_set_of_groups_serves_all():
    data = pytest.importorskip("tensorflow").data
    dataset = data.Dataset.from_tensor_slices((X, Y, GROUPS)).batch(64)
    tasks = [SubpopulationShift(dataset), Calibration(dataset)]
    found = collect_evidence(logits_model(), tasks)
    arrays = collect_evidence(
        logits_model(), [SubpopulationShift((X, Y, GROUPS)), Calibration(TEST)]
    )
    for task, one, other in zip(tasks, found, arrays, strict=True):
        assert task.measure(one) == pytest.approx(task.measure(other))
    assert tasks[0].curves(found[0])["groups"]["names"] == ["a", "b", "c"]


def test_groups_of_batches_become_plain():
    ids = np.array([2**70, 2**70 + 1] * (len(X) // 2), object)
    rows = [slice(0, 100), slice(100, None)]
    batches = [(X[r], Y[r], ids[r]) for r in rows]
    [evidence] = collect_evidence(logits_model(), [SubpopulationShift(batches)])
    assert evidence["test"]["group"].tolist() == [str(one) for one in ids]


def test_an_ensemble_is_measured_by_its_mean_forecast():
    keras.utils.set_random_seed(0)
    members = [logits_model() for _ in range(2)]
    for member in members:
        member.layers[-1].kernel.assign_add(np.random.normal(size=(4, 4)))
    ensemble = keras_plex.models.DeepEnsemble(members)
    [evidence] = collect_evidence(ensemble, [Calibration(TEST)])
    expected = ensemble.predict_uncertainty(X)
    np.testing.assert_allclose(
        evidence["test"]["confidence"], expected.confidence, atol=1e-6
    )
