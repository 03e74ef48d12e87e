"""Few-shot tasks agree with scikit-learn, share passes, and check early."""

import keras
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

import keras_plex
from keras_plex.tasks import FewShotLearning
from keras_plex.tasks import FewShotUncertainty
from keras_plex.tasks.few_shot import few_shot_task
from keras_plex.tasks.few_shot import support
from tests.task_cases import NEAR
from tests.task_cases import TEST
from tests.task_cases import draw
from tests.task_cases import logits_model

TRAIN = draw(3)
X, Y = TEST


def by_hand(shots, l2=0.5):
    """Accuracy and NLL of a regression on inputs that are the features."""
    rows = np.concatenate(
        [np.flatnonzero(TRAIN[1] == c)[:shots] for c in range(4)]
    )
    support, targets = TRAIN[0][rows].astype("float64"), TRAIN[1][rows]
    mean, scale = support.mean(0), support.std(0) + 1e-5
    regression = LogisticRegression(C=1 / l2, tol=1e-8, max_iter=5000)
    regression.fit((support - mean) / scale, targets)
    p = regression.predict_proba((X - mean) / scale)
    return np.mean(p.argmax(1) == Y), -np.log(p[np.arange(300), Y]).mean()


@pytest.mark.parametrize("make", [FewShotLearning, FewShotUncertainty])
def test_numbers_are_those_of_scikit_learn(make):
    task = make(TRAIN, TEST, shots=(1, 5, 10), l2=0.5)
    measured = task.measure(task.predict(logits_model()))
    for shots in (1, 5, 10):
        accuracy, nll = by_hand(shots)
        assert measured[f"{shots}_shot/nll"] == pytest.approx(nll, abs=1e-3)
        if make is FewShotLearning:
            found = measured[f"{shots}_shot/accuracy"]
            assert found == pytest.approx(accuracy, abs=0.005)
    expected = np.mean([by_hand(5)[1], by_hand(10)[1]])
    assert measured["nll"] == pytest.approx(expected, abs=1e-3)


def test_the_classes_are_those_of_the_data():
    train = TRAIN[0][TRAIN[1] != 1], 10 + TRAIN[1][TRAIN[1] != 1]
    test = X[Y != 1], 10 + Y[Y != 1]
    two_classes = keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(1, "sigmoid")]
    )
    task = FewShotLearning(train, test, shots=(5,))
    evidence = task.predict(two_classes)
    assert evidence.num_classes == 3
    assert task.measure(evidence)["accuracy"] > 0.6


def test_labels_of_the_test_that_were_not_learnt_are_refused():
    task = FewShotLearning((TRAIN[0], TRAIN[1] % 3), TEST, shots=(2,))
    with pytest.raises(ValueError, match="'test' have no labelled example"):
        task.predict(logits_model())


def test_members_are_averaged():
    members = [logits_model(), logits_model()]
    ensemble = keras_plex.models.DeepEnsemble(members)
    task = FewShotLearning(TRAIN, TEST, shots=(5,), l2=0.5)
    single = task.measure(task.predict(members[0]))
    assert task.measure(task.predict(ensemble)) == pytest.approx(
        single, abs=1e-6
    )
    # A member that sees nothing halves what the other says.
    blind = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(4, kernel_initializer="zeros"),
            keras.layers.Dense(4),
        ]
    )
    seeing = keras.models.clone_model(blind)
    seeing.layers[0].kernel.assign(np.eye(4))
    both = keras_plex.models.DeepEnsemble([seeing, blind])
    [examples] = task.predict(both).sets.values()
    [alone] = task.predict(seeing).sets.values()
    half = (np.exp(-alone["nll"]) + 0.25) / 2
    np.testing.assert_allclose(np.exp(-examples["nll"]), half, atol=1e-5)


def test_both_tasks_share_passes_and_probes(monkeypatch):
    calls, fitted = [], []
    monkeypatch.setattr(
        few_shot_task,
        "fit_probe",
        lambda *arguments, inner=few_shot_task.fit_probe, **options: (
            fitted.append("probe") or inner(*arguments, **options)
        ),
    )
    monkeypatch.setattr(
        support,
        "labelled_batches",
        lambda *arguments, inner=support.labelled_batches: (
            calls.append("train") or inner(*arguments)
        ),
    )
    tasks = [
        FewShotLearning(TRAIN, TEST, shots=(2,)),
        FewShotUncertainty(TRAIN, TEST, {"near": NEAR}, shots=(2,)),
    ]
    together = keras_plex.evaluate(
        logits_model(), tasks, resamples=0, verbose=0
    )
    assert calls == ["train"] and fitted == ["probe"]
    for task, result in zip(tasks, together.results, strict=True):
        alone = task.measure(task.predict(logits_model()))
        found = {name: one.value for name, one in result.measures.items()}
        assert found == pytest.approx(alone, nan_ok=True)
    assert len(calls) == 3


def test_the_order_of_the_test_data_does_not_matter():
    order = np.random.default_rng(0).permutation(300)
    first, again = (
        FewShotLearning(TRAIN, data, shots=(5,))
        for data in (TEST, (X[order], Y[order]))
    )
    assert first.measure(first.predict(logits_model())) == pytest.approx(
        again.measure(again.predict(logits_model())), abs=1e-6
    )


def test_batches_serve_as_well_as_arrays():
    data = pytest.importorskip("tensorflow").data
    batches = [
        data.Dataset.from_tensor_slices(one).batch(64) for one in (TRAIN, TEST)
    ]
    first = FewShotLearning(TRAIN, TEST, shots=(5,))
    again = FewShotLearning(*batches, shots=(5,))
    assert first.measure(first.predict(logits_model())) == pytest.approx(
        again.measure(again.predict(logits_model())), abs=1e-6
    )


def test_a_seed_draws_other_examples():
    found = [
        task.measure(task.predict(logits_model()))
        for task in (
            FewShotLearning(TRAIN, TEST, shots=(2,), seed=seed)
            for seed in (0, 0, 1)
        )
    ]
    assert found[0] == found[1] != found[2]


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"shots": 5}, "list of positive integers.*shots=5"),
        ({"shots": ()}, r"hold positive integers.*\(\)"),
        ({"shots": (1, 0)}, "hold positive integers"),
        ({"shots": (200,)}, "too few examples in a class: class"),
        ({"l2": 0}, "`l2`"),
        ({"seed": -1}, "`seed`"),
        ({"train": TRAIN[0]}, "`train` needs labels"),
        ({"train": iter([TRAIN])}, "`train` can be read only once"),
    ],
)
@pytest.mark.parametrize("make", [FewShotLearning, FewShotUncertainty])
def test_mistakes_are_found_when_it_is_made(make, arguments, message):
    with pytest.raises(ValueError, match=message):
        make(**{"train": TRAIN, "test": TEST, **arguments})


def test_what_arrays_show_at_once_batches_show_in_the_pass():
    task = FewShotLearning([TRAIN], TEST, shots=(200,))
    with pytest.raises(ValueError, match="'few_shot_learning: train'.*too few"):
        task.predict(logits_model())
    with pytest.raises(ValueError, match="must be a Keras model"):
        task.predict("model")


def test_headlines_are_of_ten_shots_or_nearly():
    for shots, headline in (
        ((1, 5, 10, 25), "10_shot"),
        ((1, 5), "5_shot"),
        ((25, 50), "25_shot"),
    ):
        task = FewShotLearning([TRAIN], TEST, shots=shots)
        assert task.headline == f"{headline}/accuracy"
    assert FewShotLearning(TRAIN, TEST, shots=(1,)).averaged_shots == (1,)
    assert task.averaged_shots == (25, 50)
