"""Accuracy against labels, for several acquisitions side by side."""

import functools

import keras
import numpy as np
import pytest
from sklearn import datasets

import keras_plex
from keras_plex.tasks import ActiveLearning
from keras_plex.tasks import Evidence
from keras_plex.tasks import Examples
from tests.task_cases import TEST
from tests.task_cases import TRAIN
from tests.task_cases import logits_model
from tests.task_cases import poor_model

ADAPTED = []  # how many examples each call of `sharpen` saw
SMALL = {"initial": 8, "budget": 24, "batch": 8}


def measured(task, model=None, **options):
    return task.measure(task.predict(model or logits_model(), **options))


def evidence(**accuracies):
    sets = {
        name.replace("_", "/"): Examples({"right": np.array(right)})
        for name, right in accuracies.items()
    }
    return Evidence(sets, num_classes=2)


def test_the_area_is_the_mean_accuracy_over_the_budget():
    task = ActiveLearning(TRAIN, TEST, acquisition="margin")
    found = task.measure(
        evidence(margin_4=[0.0, 1.0], margin_6=[1.0, 1.0], margin_14=[0.0, 0.0])
    )
    # From .5 to 1 over 2 labels, from 1 to 0 over 8.
    assert found["margin/aubc"] == pytest.approx((2 * 0.75 + 8 * 0.5) / 10)
    assert found["aubc"] == found["margin/aubc"]
    assert found["margin/6/accuracy"] == 1.0
    one = task.measure(evidence(margin_4=[0.0, 1.0]))
    assert one["aubc"] == 0.5


def test_acquisitions_stand_side_by_side():
    task = ActiveLearning(TRAIN, TEST, **SMALL)
    found = task.predict(logits_model())
    values = task.measure(found)
    names = [f"{a}/{n}" for a in ("margin", "uniform") for n in (8, 16, 24)]
    assert list(found.sets) == names and found.num_classes == 4
    assert values["margin/8/accuracy"] == values["uniform/8/accuracy"]
    assert values["aubc"] == values["margin/aubc"]
    curve = task.curves(found)["active_learning"]
    assert curve["labels"] == [8, 16, 24]
    assert curve["uniform"][2] == values["uniform/24/accuracy"]
    alone = ActiveLearning(TRAIN, TEST, acquisition="uniform", **SMALL)
    assert measured(alone)["aubc"] == values["uniform/aubc"]


def test_labels_help_and_chosen_ones_more():
    scans, labels = datasets.load_digits(return_X_y=True)
    scans = scans.astype("float32") / 16
    model = keras.Sequential([keras.Input((64,)), keras.layers.Dense(10)])
    task = ActiveLearning(
        (scans[:900], labels[:900]), (scans[900:], labels[900:])
    )
    found = measured(task, model)
    for name in ("margin", "uniform"):
        assert found[f"{name}/200/accuracy"] > found[f"{name}/20/accuracy"]
    assert found["margin/200/accuracy"] > found["uniform/200/accuracy"]


def test_one_seed_gives_one_result():
    found = [
        measured(ActiveLearning(TRAIN, TEST, seed=seed, **SMALL))
        for seed in (0, 0, 1)
    ]
    assert found[0] == found[1] != found[2]


def test_an_ensemble_may_use_what_its_members_say():
    members = [logits_model(), poor_model()]
    ensemble = keras_plex.models.DeepEnsemble(members)
    before = ensemble.get_weights()
    task = ActiveLearning(TRAIN, TEST, acquisition=["bald", "density"], **SMALL)
    assert measured(task, ensemble)["bald/aubc"] > 0.4
    for old, new in zip(before, ensemble.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_bald_of_a_single_model_is_refused_before_any_pass():
    task = ActiveLearning(TRAIN, TEST, acquisition=["margin", "bald"])
    calls = []
    with pytest.raises(ValueError, match="this model has one"):
        task.predict(
            logits_model(), on_progress=lambda *call: calls.append(call)
        )
    assert not calls


def test_a_function_of_yours_trains_copies_and_chooses():
    model = logits_model()
    before = model.get_weights()
    sizes = []

    def fit(copy, x, y):
        sizes.append(len(x))
        copy.compile(
            keras.optimizers.SGD(0.1),
            keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        )
        copy.fit(x, y, epochs=1, verbose=0)
        return copy

    def confident(predictions):
        return predictions.confidence

    task = ActiveLearning(
        TRAIN, TEST, acquisition=[confident, "margin"], fit=fit, **SMALL
    )
    found = measured(task, model)
    assert sizes == [8, 16, 24] * 2
    assert found["confident/24/accuracy"] > 0.5
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_progress_counts_labels():
    calls = []
    ActiveLearning(TRAIN, TEST, acquisition="msp", **SMALL).predict(
        logits_model(), on_progress=lambda *call: calls.append(call)
    )
    assert calls[-3:] == [
        ("active_learning: msp", count, 24) for count in (8, 16, 24)
    ]
    assert ("active_learning: pool", 300, 300) in calls


def sharpen(copy, x, y):
    ADAPTED.append(len(x))
    copy.layers[0].kernel.assign_add(np.eye(4) * y.mean())
    return copy


def test_a_killed_run_goes_on_where_it_was(tmp_path):
    """Of the second acquisition, two rounds are left to do."""
    ADAPTED.clear()

    def kill(where, count, total):
        if len(ADAPTED) == 4:
            raise KeyboardInterrupt

    def task(directory):
        return ActiveLearning(
            TRAIN, TEST, fit=sharpen, directory=directory, seed=3, **SMALL
        )

    with pytest.raises(KeyboardInterrupt):
        task(tmp_path).predict(logits_model(), on_progress=kill)
    assert ADAPTED == [8, 16, 24, 8]
    resumed = measured(task(tmp_path))
    assert ADAPTED == [8, 16, 24, 8, 16, 24]
    assert resumed == measured(task(tmp_path))
    assert len(ADAPTED) == 6
    assert resumed == measured(task(None))
    assert len(ADAPTED) == 12


def make_fit(sign):
    def fit(copy, x, y):
        copy.layers[0].kernel.assign(sign * np.eye(4))
        return copy

    return fit


def run_in(tmp_path, kept, model=None, **options):
    """In a folder of evidence, or in one of rounds."""
    if kept == "rounds":
        task = ActiveLearning(
            TRAIN, TEST, directory=tmp_path, **SMALL, **options
        )
        return measured(task, model)
    report = keras_plex.evaluate(
        model or logits_model(),
        ActiveLearning(TRAIN, TEST, **SMALL, **options),
        resamples=0,
        verbose=0,
        directory=tmp_path,
    )
    return {k: one.value for k, one in report.results[0].measures.items()}


REFUSED = {"evidence": "with other options", "rounds": "another run.*fit="}


@pytest.mark.parametrize("kept", REFUSED)
@pytest.mark.parametrize(
    "one, other",
    [
        (make_fit(1.0), make_fit(-1.0)),
        (lambda copy, x, y: copy, lambda model, x, y: sharpen(model, x, y)),
        (
            functools.partial(sharpen),
            functools.partial(sharpen, y=np.arange(3)),
        ),
    ],
)
def test_another_function_that_trains_is_refused(tmp_path, kept, one, other):
    run_in(tmp_path, kept, fit=one, acquisition="margin")
    with pytest.raises(ValueError, match=REFUSED[kept]):
        run_in(tmp_path, kept, fit=other, acquisition="margin")
    run_in(tmp_path, kept, fit=one, acquisition="margin")


def test_other_acquisitions_are_not_taken_for_those_before(tmp_path):
    def mine(predictions):
        return predictions.confidence

    first = mine

    def mine(predictions):
        return -predictions.confidence

    run_in(tmp_path, "evidence", acquisition="margin")
    for others in (("margin", "entropy"), first):
        with pytest.raises(ValueError, match="with other options"):
            run_in(tmp_path, "evidence", acquisition=others)
    run_in(tmp_path / "mine", "evidence", acquisition=first)
    with pytest.raises(ValueError, match="with other options"):
        run_in(tmp_path / "mine", "evidence", acquisition=mine)
    # Rounds of one acquisition serve beside those of another.
    run_in(tmp_path, "rounds", acquisition="margin")
    run_in(tmp_path, "rounds", acquisition=["margin", first])
    found = run_in(tmp_path, "rounds", acquisition=["margin", mine])
    task = ActiveLearning(TRAIN, TEST, acquisition=mine, **SMALL)
    assert found["mine/aubc"] == measured(task)["aubc"]


def test_another_model_with_equal_weights_has_rounds_of_its_own(tmp_path):
    def scaled(scale):
        layers = keras.layers.Rescaling(scale), keras.layers.Dense(4)
        model = keras.Sequential([keras.Input((4,)), *layers])
        model.set_weights([np.eye(4), np.zeros(4)])
        return model

    def fit(copy, x, y):
        return copy

    good = run_in(tmp_path, "rounds", model=scaled(1.0), fit=fit)
    poor = run_in(tmp_path, "rounds", model=scaled(-1.0), fit=fit)
    assert good["aubc"] > 0.5 > poor["aubc"]


def test_a_function_that_cannot_be_described_is_refused(tmp_path):
    unknown = object()

    def fit(copy, x, y):
        assert unknown
        return copy

    with pytest.raises(ValueError, match="whether `fit` is the same.*object"):
        run_in(tmp_path, "rounds", fit=fit)
    with pytest.raises(ValueError, match="setting 'fit' of task.*directory"):
        run_in(tmp_path, "evidence", fit=fit)
    assert measured(ActiveLearning(TRAIN, TEST, fit=fit, **SMALL))


def test_where_rounds_are_kept_does_not_matter(tmp_path):
    def run(directory):
        keras_plex.evaluate(
            logits_model(),
            ActiveLearning(TRAIN, TEST, directory=directory, **SMALL),
            resamples=0,
            verbose=0,
            directory=tmp_path,
        )

    run(None)
    run(tmp_path / "rounds")


def test_a_directory_of_another_run_is_refused(tmp_path):
    measured(ActiveLearning(TRAIN, TEST, directory=tmp_path, **SMALL))
    other = ActiveLearning(TRAIN, TEST, directory=tmp_path, seed=1, **SMALL)
    with pytest.raises(ValueError, match="another run.*seed=1 instead of 0"):
        other.predict(logits_model())
    changed = ActiveLearning(
        (TRAIN[0] + 1, TRAIN[1]), TEST, directory=tmp_path, **SMALL
    )
    with pytest.raises(ValueError, match="another run.*pool="):
        changed.predict(logits_model())
    # Another model has a folder of its own there.
    again = ActiveLearning(TRAIN, TEST, directory=tmp_path, **SMALL)
    measured(again, poor_model())


def test_data_in_another_order_at_each_pass_are_refused():
    data = pytest.importorskip("tensorflow").data
    pool = data.Dataset.from_tensor_slices(TRAIN).shuffle(300).batch(64)
    with pytest.raises(ValueError, match="`pool` must give the same examples"):
        ActiveLearning(pool, TEST).predict(logits_model())


def test_batches_serve_as_well_as_arrays():
    data = pytest.importorskip("tensorflow").data
    pool = data.Dataset.from_tensor_slices(TRAIN).batch(64)
    found = measured(ActiveLearning(pool, TEST, **SMALL))
    arrays = measured(ActiveLearning(TRAIN, TEST, **SMALL))
    assert found == pytest.approx(arrays, abs=1e-6)


def test_max_examples_are_the_first():
    task = ActiveLearning(TRAIN, TEST, acquisition="margin")
    found = task.predict(logits_model(), max_examples=40)
    assert list(found.sets)[-1] == "margin/40"
    assert len(found["margin/40"]) == 40


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"acquisition": "best"}, "Unknown acquisition"),
        ({"initial": 0}, "initial=0"),
        ({"budget": 2.5}, "budget=2.5"),
        ({"batch": -1}, "batch=-1"),
        ({"selection": "random"}, "Unknown selection: 'random'"),
        ({"fit": "fit"}, "`fit` must be a function"),
        ({"seed": -1}, "seed=-1"),
        ({"pool": iter([TRAIN])}, "`pool` can be read only once"),
    ],
)
def test_mistakes_are_found_when_it_is_made(arguments, message):
    with pytest.raises(ValueError, match=message):
        ActiveLearning(**{"pool": TRAIN, "test": TEST, **arguments})


def test_mistakes_in_data_name_the_set():
    with pytest.raises(ValueError, match="'active_learning: pool'.*labels"):
        ActiveLearning(TRAIN[0], TEST).predict(logits_model())
    with pytest.raises(ValueError, match="initial=3"):
        ActiveLearning(TRAIN, TEST, initial=3).predict(logits_model())
