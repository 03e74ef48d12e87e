"""All tasks on one model, checked before they run."""

import json

import keras
import numpy as np
import pytest

import keras_plex
from keras_plex.tasks import Calibration
from keras_plex.tasks import InDistribution
from keras_plex.tasks import OpenSetRecognition
from tests.task_cases import NEAR
from tests.task_cases import TASKS
from tests.task_cases import TEST
from tests.task_cases import logits_model

X, Y = TEST


def all_tasks():
    return [case.make_task() for case in TASKS.values()]


@pytest.fixture(scope="module")
def report():
    return keras_plex.evaluate(
        logits_model(), all_tasks(), resamples=20, verbose=0
    )


def test_results_come_in_the_order_of_the_tasks(report):
    assert [result.name for result in report.results] == list(TASKS)
    assert report["calibration"].num_examples == {"test": 300}
    assert report["calibration"].num_classes == 4
    assert report.parameters == 16 and report.ensemble_size == 1
    assert 0 < report.reliability_score < 100


def test_the_report_is_json_and_says_what_made_it(report):
    found = json.loads(report.to_json())
    assert found["environment"]["keras"] == keras.__version__
    assert found["environment"]["backend"] == keras.config.backend()
    assert found["settings"] == {
        "seed": 0,
        "resamples": 20,
        "batch_size": 32,
        "max_examples": None,
    }


def test_values_have_intervals_around_them(report):
    for result in report.results:
        value = result.measures[result.headline]
        assert value.low <= value.value <= value.high


class Alone(InDistribution):
    """Has a pass of its own, and says what it was given."""

    def __init__(self, test, *, name=None):
        super().__init__(test, name=name)
        self.given = []

    def predict(self, model, **options):
        self.given.append(options)
        options["on_progress"](f"{self.name}: all", 1, 1)
        return super().predict(model, **options)


def test_a_task_with_a_pass_of_its_own_runs_by_itself(capsys):
    alone = Alone(TEST, name="alone")
    tasks = [alone, InDistribution(TEST), Calibration(TEST)]
    report = keras_plex.evaluate(
        logits_model(), tasks, batch_size=50, max_examples=200, resamples=3
    )
    names = ["alone", "in_distribution", "calibration"]
    assert [result.name for result in report.results] == names
    [given] = alone.given
    assert given["batch_size"] == 50 and given["max_examples"] == 200
    assert report["alone"].measures == report["in_distribution"].measures
    assert "alone: all" in capsys.readouterr().err
    alone_only = keras_plex.evaluate(
        logits_model(), alone, resamples=0, verbose=0
    )
    assert alone_only["alone"].num_examples == {"test": 300}


def test_the_same_examples_count_once(report):
    counts = {result.name: result.num_examples for result in report.results}
    assert counts["active_learning"] == {"test": 300}
    assert counts["few_shot_uncertainty"] == {"test": 300, "ood/near": 300}
    assert counts["covariate_shift"] == {"clean": 300, "other": 300}


def test_few_shot_results_count_the_classes_of_their_data(report):
    assert report["few_shot_learning"].num_classes == 4
    assert report["few_shot_learning"].category == "adaptation"
    assert set(report.category_scores) == {
        "uncertainty",
        "robust generalization",
        "adaptation",
    }


def test_the_model_is_measured_and_nothing_else():
    model = logits_model()
    before = model.get_weights()
    keras_plex.evaluate(model, all_tasks(), resamples=0, verbose=0)
    np.testing.assert_array_equal(before, model.get_weights())
    assert not model.compiled


def test_a_plex_model_is_measured_with_its_members():
    stock = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(8, "relu"),
            keras.layers.Dense(4),
        ]
    )
    model = keras_plex.plexify(
        stock, last_blocks=1, head_options={"num_features": 8}, seed=0
    )
    model.fit_covariance(TEST)
    report = keras_plex.evaluate(
        model,
        [Calibration(TEST), OpenSetRecognition(TEST, {"near": NEAR})],
        resamples=0,
        verbose=0,
    )
    assert report.ensemble_size == 3
    measured = report["open_set_recognition"].measures
    assert {"near/variance/auroc", "near/disagreement/auroc"} <= set(measured)
    assert np.isnan(measured["auroc"].low)


def test_other_ensembles_are_measured_too():
    members = [logits_model(), logits_model()]
    dropout = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(4),
        ]
    )
    for model, size in (
        (keras_plex.models.DeepEnsemble(members), 2),
        (keras_plex.models.MCDropout(dropout, num_samples=3), 3),
    ):
        report = keras_plex.evaluate(
            model, [Calibration(TEST)], resamples=0, verbose=0
        )
        assert report.ensemble_size == size and report.parameters > 0


def test_one_task_needs_no_list():
    report = keras_plex.evaluate(
        logits_model(), Calibration(TEST), resamples=0, verbose=0
    )
    assert len(report.results) == 1


def test_progress_goes_to_the_error_stream(capsys):
    keras_plex.evaluate(logits_model(), [Calibration(TEST)], resamples=2)
    captured = capsys.readouterr()
    assert not captured.out
    assert "calibration: test" in captured.err
    assert "300/300" in captured.err and "bootstrap" in captured.err


def test_two_tasks_of_a_kind_have_names():
    tasks = [InDistribution(TEST), InDistribution(TEST, name="again")]
    report = keras_plex.evaluate(logits_model(), tasks, resamples=0, verbose=0)
    assert report["again"].measures == report["in_distribution"].measures


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"resamples": -1}, "resamples=-1"),
        ({"resamples": 1.5}, "resamples=1.5"),
        ({"batch_size": 0}, "batch_size=0"),
        ({"max_examples": 0}, "max_examples=0"),
        ({"seed": -1}, "seed=-1"),
        ({"seed": None}, "seed=None"),
    ],
)
def test_arguments_are_checked(arguments, message):
    with pytest.raises(ValueError, match=message):
        keras_plex.evaluate(logits_model(), [Calibration(TEST)], **arguments)
