"""Calibration by shots, and what it says of classes that no one showed."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from keras_plex.metrics import expected_calibration_error
from keras_plex.tasks import FewShotUncertainty
from keras_plex.tasks.few_shot.probe import fit_probe
from tests.task_cases import NEAR
from tests.task_cases import TEST
from tests.task_cases import draw
from tests.task_cases import logits_model

TRAIN = draw(3)
X, Y = TEST


def forecast(x, shots):
    rows = np.concatenate(
        [np.flatnonzero(TRAIN[1] == c)[:shots] for c in range(4)]
    )
    rows.sort()
    probe = fit_probe(TRAIN[0][rows][:, None], TRAIN[1][rows], l2=0.5)
    return probe.predict(x[:, None]).probabilities


@pytest.fixture(scope="module")
def found():
    task = FewShotUncertainty(
        TRAIN, TEST, {"near": NEAR, "far": 9 * NEAR}, shots=(1, 5, 10), l2=0.5
    )
    evidence = task.predict(logits_model())
    return task, evidence, task.measure(evidence)


def test_calibration_is_that_of_the_probe(found):
    _, _, measured = found
    for shots in (1, 5, 10):
        p = forecast(X, shots)
        ece = expected_calibration_error(Y, p)
        assert measured[f"{shots}_shot/ece"] == pytest.approx(ece, abs=1e-4)
        auc = roc_auc_score(p.argmax(1) != Y, 1 - p.max(1))
        name = f"{shots}_shot/calibration_auc"
        assert measured[name] == pytest.approx(auc, abs=1e-4)
    expected = np.mean([measured[f"{x}_shot/ece"] for x in (5, 10)])
    assert measured["ece"] == pytest.approx(expected)


def test_unknown_classes_rank_by_the_largest_probability(found):
    _, _, measured = found
    scores = [1 - forecast(x, 5).max(1) for x in (X, NEAR)]
    is_unknown = np.arange(600) >= 300
    auroc = roc_auc_score(is_unknown, np.concatenate(scores))
    assert measured["5_shot/near/auroc"] == pytest.approx(auroc, abs=1e-4)
    each = [measured[f"5_shot/{name}/auroc"] for name in ("near", "far")]
    assert measured["5_shot/auroc"] == pytest.approx(np.mean(each))


def test_without_labels_the_distance_to_all_examples_ranks(found):
    _, _, measured = found
    rows = np.concatenate(
        [np.flatnonzero(TRAIN[1] == c)[:10] for c in range(4)]
    )
    x = TRAIN[0][rows].astype("float64")
    covariance = np.cov(x.T, bias=True)
    covariance += 1e-3 * np.trace(covariance) / 4 * np.eye(4)
    scores = [
        np.einsum(
            "ni,ij,nj->n",
            one - x.mean(0),
            np.linalg.inv(covariance),
            one - x.mean(0),
        )
        for one in (X, 9 * NEAR)
    ]
    auroc = roc_auc_score(np.arange(600) >= 300, np.concatenate(scores))
    assert measured["0_shot/far/auroc"] == pytest.approx(auroc, abs=1e-3)


def test_without_unknown_classes_there_is_no_auroc():
    task = FewShotUncertainty(TRAIN, TEST, shots=(5,))
    assert task.scored == ("ece", "calibration_auc")
    measured = task.measure(task.predict(logits_model()))
    assert not [name for name in measured if name.endswith("auroc")]


def test_without_errors_there_is_no_calibration_auc():
    x = np.repeat(10 * np.eye(4, dtype="float32"), 5, axis=0)
    y = np.repeat(np.arange(4), 5)
    task = FewShotUncertainty((x, y), (x, y), shots=(1, 5))
    measured = task.measure(task.predict(logits_model()))
    assert np.isnan(measured["calibration_auc"])
    assert np.isnan(measured["5_shot/calibration_auc"])


def test_curves_follow_the_shots(found):
    task, evidence, measured = found
    curve = task.curves(evidence)["few_shot"]
    assert curve["shots"] == [1, 5, 10]
    assert curve["ece"][1] == measured["5_shot/ece"]
    assert curve["near/auroc"][2] == measured["10_shot/near/auroc"]


def test_each_set_is_drawn_by_itself(found):
    _, evidence, _ = found
    drawn = {name: one.drawn_with for name, one in evidence.sets.items()}
    assert drawn["0_shot"] == drawn["5_shot"] == "test"
    assert drawn["0_shot/near"] == drawn["5_shot/near"] == "ood/near"


def test_unknown_classes_have_names():
    with pytest.raises(ValueError, match="`ood` must be a dict"):
        FewShotUncertainty(TRAIN, TEST, NEAR)
