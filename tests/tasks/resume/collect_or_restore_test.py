"""An evaluation that was killed goes on; another one is refused."""

import os
import pathlib
import signal
import subprocess
import sys

import keras
import numpy as np
import pytest

import keras_plex
from keras_plex.scores.table import SCORES
from keras_plex.tasks import Calibration
from keras_plex.tasks import CovariateShift
from keras_plex.tasks import FewShotLearning
from keras_plex.tasks import FewShotUncertainty
from keras_plex.tasks import InDistribution
from keras_plex.tasks import OpenSetRecognition
from keras_plex.tasks import SubpopulationShift
from keras_plex.tasks import Task
from keras_plex.tasks.data_set import DataSet
from keras_plex.tasks.examples import Evidence
from tests.task_cases import GROUPS
from tests.task_cases import NEAR
from tests.task_cases import TASKS
from tests.task_cases import TEST
from tests.task_cases import TRAIN
from tests.task_cases import draw
from tests.task_cases import logits_model
from tests.task_cases import poor_model

ROOT = pathlib.Path(__file__).resolve().parents[3]
X, Y = TEST
BATCH = 50


class Batches:
    """Batches of 50; the process is killed before batch `killed_at`."""

    def __init__(self, arrays, killed_at=None):
        self.arrays, self.killed_at = arrays, killed_at

    def __len__(self):
        return len(self.arrays[0]) // BATCH

    def __iter__(self):
        for number in range(len(self)):
            if number == self.killed_at:
                os.kill(os.getpid(), signal.SIGKILL)
            rows = slice(number * BATCH, (number + 1) * BATCH)
            yield tuple(array[rows] for array in self.arrays)


class CountingTasks:
    """Three tasks on three data sets, and a model that counts its calls."""

    def __init__(self, killed_at=None):
        shifted = Batches(draw(2), killed_at)
        self.tasks = [
            Calibration(TEST),
            OpenSetRecognition(TEST, {"near": NEAR}),
            CovariateShift(TEST, {"other": shifted}),
        ]
        self.model = logits_model()
        self.calls = []
        predict = self.model.predict_on_batch

        def predict_on_batch(x):
            self.calls.append(len(x))
            return predict(x)

        self.model.predict_on_batch = predict_on_batch

    def evaluate(self, directory=None, **options):
        self.calls.clear()
        return keras_plex.evaluate(
            self.model,
            self.tasks,
            resamples=5,
            verbose=0,
            batch_size=BATCH,
            directory=directory,
            **options,
        )


def same(report, expected):
    assert len(report.results) == len(expected.results)
    for one, other in zip(report.results, expected.results, strict=True):
        assert repr(one.measures) == repr(other.measures)
        assert one.curves == other.curves
        assert one.num_examples == other.num_examples


KILLED = """
import sys
from tests.tasks.resume.collect_or_restore_test import CountingTasks
CountingTasks(killed_at=3).evaluate(sys.argv[1])
"""


@pytest.mark.slow
def test_after_a_kill_finished_data_sets_are_not_passed_again(tmp_path):
    ended = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
    )
    assert ended.returncode == -signal.SIGKILL, ended.stderr[-1000:]
    names = sorted(path.name for path in (tmp_path / "evidence").iterdir())
    assert len(names) == 4, names
    assert not any(name.startswith(".") for name in names)
    again = CountingTasks()
    report = again.evaluate(tmp_path)
    # Of three sets of 300 examples the shifted one alone.
    assert again.calls == [BATCH] * 6
    same(report, CountingTasks().evaluate())


def test_what_is_done_needs_no_model(tmp_path):
    counting = CountingTasks()
    first = counting.evaluate(tmp_path)
    assert len(counting.calls) == 18
    second = counting.evaluate(tmp_path)
    assert counting.calls == []
    same(second, first)
    same(first, counting.evaluate())


def test_all_tasks_are_restored_as_they_were(tmp_path):
    tasks = [case.make_task() for case in TASKS.values()]
    expected = keras_plex.evaluate(
        logits_model(), tasks, resamples=5, verbose=0
    )
    for _ in range(2):
        report = keras_plex.evaluate(
            logits_model(), tasks, resamples=5, verbose=0, directory=tmp_path
        )
        same(report, expected)


def test_a_damaged_file_alone_is_made_again(tmp_path):
    counting = CountingTasks()
    first = counting.evaluate(tmp_path)
    [path] = (tmp_path / "evidence").glob("*near*")
    path.write_bytes(path.read_bytes()[:-40])
    same(counting.evaluate(tmp_path), first)
    assert sum(counting.calls) == len(NEAR)


def test_further_tasks_pass_their_data_alone(tmp_path):
    counting = CountingTasks()
    counting.evaluate(tmp_path)
    counting.tasks.append(InDistribution(draw(5)))
    counting.evaluate(tmp_path)
    assert sum(counting.calls) == 300


def test_more_resamples_need_no_pass(tmp_path):
    counting = CountingTasks()
    counting.evaluate(tmp_path, seed=0)
    counting.evaluate(tmp_path, seed=1)
    assert not counting.calls


def test_fitted_scores_are_fitted_again_only_where_one_is_missing(tmp_path):
    model, fits = logits_model(), []
    train = Batches(draw(7))
    task = OpenSetRecognition(TEST, {"near": NEAR}, training=train)
    report = keras_plex.evaluate(
        model, task, resamples=0, verbose=0, directory=tmp_path
    )
    assert "near/relative_mahalanobis/auroc" in report.results[0].measures
    reading = Batches.__iter__

    def read(self):
        fits.append(self)
        return reading(self)

    Batches.__iter__ = read
    try:
        again = keras_plex.evaluate(
            model, task, resamples=0, verbose=0, directory=tmp_path
        )
    finally:
        Batches.__iter__ = reading
    same(again, report)
    assert len(fits) == 1  # the first batch, to see that they are the same


@pytest.mark.parametrize(
    "change, message",
    [
        ({"model": poor_model}, "of another model, or of other weights"),
        ({"data": draw(9)}, "of other data"),
        ({"batch_size": 20}, "with other settings.*'batch_size': 20"),
        ({"max_examples": 20}, "with other settings"),
    ],
)
def test_another_evaluation_is_refused_before_any_pass(
    tmp_path, change, message
):
    def run(model=logits_model, data=TEST, **options):
        return keras_plex.evaluate(
            model(),
            [Calibration(data)],
            resamples=0,
            verbose=0,
            directory=tmp_path,
            **options,
        )

    run()
    [path] = (tmp_path / "evidence").iterdir()
    before = path.read_bytes()
    with pytest.raises(ValueError, match=f"{message}.*") as error:
        run(**change)
    assert "Pass another directory" in str(error.value)
    assert "remove" in str(error.value) and "Received" in str(error.value)
    assert path.read_bytes() == before
    run()


def test_other_groups_scores_and_training_data_are_refused(tmp_path):
    def run(task):
        keras_plex.evaluate(
            logits_model(), task, resamples=0, verbose=0, directory=tmp_path
        )

    run(SubpopulationShift((X, Y, GROUPS)))
    with pytest.raises(ValueError, match="of other data"):
        run(SubpopulationShift((X, Y, GROUPS[::-1].copy())))
    run(OpenSetRecognition(X, NEAR, training=draw(3)))
    with pytest.raises(ValueError, match="fitted to other training data"):
        run(OpenSetRecognition(X, NEAR, training=draw(4)))
    with pytest.raises(ValueError, match="with other scores"):
        run(OpenSetRecognition(X, NEAR, training=draw(3), scores=["knn"]))
    with pytest.raises(ValueError, match="of another task"):
        run(InDistribution(TEST, name="subpopulation_shift"))


def test_a_file_in_its_place_is_refused(tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(ValueError, match="must be a directory.*'file'|file"):
        keras_plex.evaluate(
            logits_model(), Calibration(TEST), directory=tmp_path / "file"
        )


class OwnTask(Task):
    """Measures two sets in a way of its own."""

    kind = "own"
    category = "adaptation"
    headline = "accuracy"

    def __init__(self, test, shots=3):
        super().__init__()
        self.test, self.shots, self.runs = DataSet(test), shots, 0

    def data_sets(self):
        return {"test": self.test}

    def predict(
        self, model, *, batch_size=32, max_examples=None, on_progress=None
    ):
        self.runs += 1
        found = Calibration(self.test.data).predict(model)
        sets = {"0_shot": found["test"], "3/shot": found["test"]}
        return Evidence(sets, found.num_classes, found.seconds)

    def measure(self, evidence):
        return {"accuracy": float(np.mean(evidence["3/shot"]["right"]))}


def test_a_task_that_runs_by_itself_is_kept_as_a_whole(tmp_path):
    def run(task):
        return keras_plex.evaluate(
            logits_model(),
            [task, Calibration(TEST)],
            resamples=3,
            verbose=0,
            directory=tmp_path,
        )

    first = OwnTask(TEST)
    report = run(first)
    second = OwnTask(TEST)
    same(run(second), report)
    assert (first.runs, second.runs) == (1, 0)
    with pytest.raises(ValueError, match="with other options"):
        run(OwnTask(TEST, shots=5))
    with pytest.raises(ValueError, match="of other data"):
        run(OwnTask(draw(3)))


class HidingTask(OwnTask):
    """Keeps its arguments under names of its own."""

    def __init__(self, test, shots=3, *, rule=None, cache=None):
        super().__init__(test)
        self._shots, self._rules, self._cache = shots, {"a": rule}, cache

    def settings(self):
        found = super().settings()
        del found["_cache"]
        return found


def test_arguments_under_other_names_count(tmp_path):
    def run(**options):
        return keras_plex.evaluate(
            logits_model(),
            HidingTask(TEST, **options),
            resamples=0,
            verbose=0,
            directory=tmp_path,
        )

    run(rule=lambda x: x + 1)
    run(rule=lambda x: x + 1, cache=object())
    for other in ({"rule": lambda x: x + 2}, {"shots": 4}, {}):
        with pytest.raises(ValueError, match="with other options"):
            run(**{"rule": lambda x: x + 1, **other} if other else {})
    with pytest.raises(ValueError, match="setting '_rules' of task 'own'"):
        run(rule=object())


@pytest.mark.parametrize(
    "change", [{"shots": (1, 4)}, {"l2": 2.0}, {"seed": 1}]
)
@pytest.mark.parametrize("kind", [FewShotLearning, FewShotUncertainty])
def test_other_options_of_few_shot_tasks_are_refused(tmp_path, kind, change):
    options = {"shots": (1, 5), "l2": 1.0, "seed": 0}

    def run(**options):
        return keras_plex.evaluate(
            logits_model(),
            kind(TRAIN, TEST, **options),
            resamples=0,
            verbose=0,
            directory=tmp_path,
        )

    same(run(**options), run(**options))
    with pytest.raises(ValueError, match="with other options"):
        run(**{**options, **change})


def test_other_severities_have_files_of_their_own(tmp_path):
    generator = np.random.default_rng(0)
    images = generator.random((8, 28, 28, 1), "float32"), Y[:8]
    layers = keras.layers.Flatten(), keras.layers.Dense(4)
    model = keras.Sequential([keras.Input((28, 28, 1)), *layers])

    def run(directory=tmp_path, **options):
        task = CovariateShift(images, corruptions=["contrast"], **options)
        return keras_plex.evaluate(
            model, task, resamples=0, verbose=0, directory=directory
        )

    run(severities=(1, 2))
    same(run(severities=(2, 5)), run(None, severities=(2, 5)))
    with pytest.raises(ValueError, match="with other options"):
        run(severities=(1, 2), value_range=(0, 2))


@pytest.mark.parametrize("kind", ["function", "name"])
def test_another_score_of_the_same_name_is_refused(tmp_path, kind, monkeypatch):
    def run(sign):
        def mine(predictions):
            return sign * predictions.entropy

        monkeypatch.setitem(SCORES, "mine", mine)
        task = OpenSetRecognition(
            X, NEAR, scores=[mine if kind == "function" else "mine"]
        )
        keras_plex.evaluate(
            logits_model(), task, resamples=0, verbose=0, directory=tmp_path
        )

    run(1.0)
    run(1.0)
    with pytest.raises(ValueError, match="with other scores"):
        run(-1.0)


def test_another_architecture_with_equal_weights_is_refused(tmp_path):
    def run(scale):
        layers = keras.layers.Rescaling(scale), logits_model()
        return keras_plex.evaluate(
            keras.Sequential([keras.Input((4,)), *layers]),
            Calibration(TEST),
            resamples=0,
            verbose=0,
            directory=tmp_path,
        )

    same(run(1.0), run(1.0))
    with pytest.raises(ValueError, match="of another model"):
        run(-1.0)


def test_another_model_is_refused_for_other_tasks_too(tmp_path):
    def run(model, task):
        return keras_plex.evaluate(
            model, task, resamples=0, verbose=0, directory=tmp_path
        )

    run(logits_model(), Calibration(TEST))
    names = {path.name for path in (tmp_path / "evidence").iterdir()}
    with pytest.raises(ValueError, match="of another model"):
        run(poor_model(), InDistribution(TEST))
    assert {path.name for path in (tmp_path / "evidence").iterdir()} == names
    run(logits_model(), InDistribution(TEST))


@pytest.mark.parametrize("first", [0, 1])
def test_a_task_may_join_another_that_reads_groups_of_the_batches(
    tmp_path, first
):
    data = Batches((X, Y, GROUPS))
    tasks = [SubpopulationShift(data), Calibration(data)]
    model = logits_model()
    expected = keras_plex.evaluate(model, tasks, resamples=0, verbose=0)
    options = {"resamples": 0, "verbose": 0, "directory": tmp_path}
    if first == 0:  # Calibration alone has no use for a third part
        keras_plex.evaluate(model, tasks[:1], **options)
    keras_plex.evaluate(model, tasks, **options)
    for file in sorted(tmp_path.rglob("*calibration*.npz")):
        file.unlink()
    found = keras_plex.evaluate(model, tasks, **options)
    for name in ("subpopulation_shift", "calibration"):
        assert found[name].measures == expected[name].measures
