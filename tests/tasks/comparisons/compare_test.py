"""Models on the same tasks and examples."""

import keras
import numpy as np
import pytest

import keras_plex
from keras_plex.tasks import Calibration
from keras_plex.tasks import InDistribution
from keras_plex.tasks import OpenSetRecognition
from keras_plex.tasks import collect
from tests.task_cases import NEAR
from tests.task_cases import TEST
from tests.task_cases import linear_model
from tests.task_cases import logits_model
from tests.task_cases import poor_model

TASKS = [
    Calibration(TEST),
    InDistribution(TEST),
    OpenSetRecognition(TEST, {"near": NEAR}),
]


@pytest.fixture(scope="module")
def found():
    models = {"good": logits_model(), "poor": poor_model()}
    return keras_plex.compare(models, TASKS, resamples=30, verbose=0)


def test_each_report_is_that_of_evaluate(found):
    alone = keras_plex.evaluate(poor_model(), TASKS, resamples=30, verbose=0)
    for result in alone.results:
        other = found.reports["poor"][result.name]
        assert other.measures == result.measures
        for name, one in result.measures.items():
            np.testing.assert_array_equal(one.drawn, other[name].drawn)


def test_the_poor_model_is_worse(found):
    one = found["poor"]["in_distribution"]["accuracy"]
    assert one.verdict == "worse" and one.confirmed
    assert found.score_differences["poor"].verdict == "worse"


def test_one_example_decides_nothing():
    models = {"good": logits_model(), "poor": poor_model()}
    tasks = [Calibration((TEST[0][:1], TEST[1][:1]))]
    found = keras_plex.compare(models, tasks, resamples=30, verbose=0)
    ece = found["poor"]["calibration"]["ece"]
    for one in (ece, found.score_differences["poor"]):
        assert one.verdict == "unknown" and one.confirmed is False
    assert "confirmed" not in found.to_markdown().split("\n\n", 2)[2]
    assert f"| {ece.difference:+.4f} unknown |" in found.to_markdown()
    assert "unknown" in found.to_html()


def test_costs_are_measured(found):
    ratios = found.cost_ratios()["poor"]
    assert ratios["parameters"] == ratios["flops"] == 1.0
    assert ratios["seconds_one"] > 0


def test_progress_names_the_models(capsys):
    models = {"a": logits_model(), "b": logits_model()}
    task = InDistribution(TEST)
    keras_plex.compare(models, task, resamples=0, verbose=1)
    captured = capsys.readouterr()
    assert not captured.out
    assert "a\n" in captured.err and "b\n" in captured.err


def test_what_was_stopped_goes_on(tmp_path, monkeypatch):
    models = {"a/b": logits_model(), "a:b": poor_model()}
    predict, asked = collect.predict_batch, []

    def stop_at_the_second(model, *arguments, **options):
        asked.append(model)
        if model is models["a:b"]:
            raise KeyboardInterrupt
        return predict(model, *arguments, **options)

    def compare():
        asked.clear()
        return keras_plex.compare(
            models, TASKS, resamples=3, verbose=0, directory=tmp_path
        )

    monkeypatch.setattr(collect, "predict_batch", stop_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        compare()
    assert models["a/b"] in asked

    def note(model, *arguments, **options):
        asked.append(model)
        return predict(model, *arguments, **options)

    monkeypatch.setattr(collect, "predict_batch", note)
    found = compare()
    assert asked and models["a/b"] not in asked
    expected = keras_plex.compare(models, TASKS, resamples=3, verbose=0)
    assert found.differences == expected.differences
    names = {one.name for one in (tmp_path / "evidence").iterdir()}
    assert len(names) == 2 and all(one.startswith("a_b-") for one in names)


@pytest.mark.parametrize(
    "models, options, message",
    [
        ({}, {}, r"`models` must hold at least two.*Received: \[\]"),
        ([logits_model], {}, "`models` must be a dict by name"),
        ({"a": None, 1: None}, {}, "must be strings"),
        ({"a": None, "b": None}, {"baseline": "c"}, "Unknown baseline: 'c'"),
        ({"a": None, "b": None}, {}, "`model` must be a Keras model"),
    ],
)
def test_mistakes_are_found_first(models, options, message):
    with pytest.raises(ValueError, match=message):
        keras_plex.compare(models, TASKS, **options)


def test_other_classes_are_refused_before_any_pass():
    models = {"four": logits_model(), "three": linear_model(np.eye(4)[:, :3])}
    with pytest.raises(ValueError, match="'three' has 3, 'four' has 4"):
        keras_plex.compare(models, TASKS)
    assert not models["four"].compiled


def test_ensembles_stand_beside_stock_models():
    members = [logits_model(), logits_model()]
    models = {
        "one": logits_model(),
        "two": keras_plex.models.DeepEnsemble(members),
    }
    tasks = (task for task in TASKS[:2])
    found = keras_plex.compare(models, tasks, resamples=5, verbose=0)
    assert found["two"]["calibration"]["ece"].difference == pytest.approx(
        0.0, abs=1e-5
    )
    assert set(found["two"]) == {"calibration", "in_distribution"}
    ratios = found.cost_ratios()["two"]
    assert ratios["parameters"] == 2.0
    if keras.config.backend() in ("tensorflow", "torch"):
        assert ratios["flops"] >= 2.0
