"""Both ways to adapt leave the model alone and forecast both sets."""

import keras
import numpy as np
import pytest

import keras_plex
from keras_plex.tasks.active.adapt import FitAdaptation
from keras_plex.tasks.active.adapt import ProbeAdaptation
from keras_plex.tasks.active.adapt import check_same_order
from keras_plex.tasks.active.adapt import take_rows
from keras_plex.tasks.data_set import DataSet
from keras_plex.tasks.few_shot.probe import fit_probe
from tests.task_cases import TEST
from tests.task_cases import TRAIN
from tests.task_cases import logits_model

DATA = {"pool": DataSet(TRAIN), "test": DataSet(TEST)}
LABELS = {"pool": TRAIN[1], "test": TEST[1]}
ROWS = np.array([5, 3, 200, 77, 12, 30, 31, 32])
OPTIONS = {"batch_size": 32, "max_examples": None}


def trained(copy, x, y):
    copy.compile(
        keras.optimizers.SGD(0.1),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    copy.fit(x, y, epochs=2, verbose=0)
    return copy


def make_models():
    stock = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(8, "relu"),
            keras.layers.Dense(4),
        ]
    )
    options = {"head_options": {"num_features": 8}, "seed": 0}
    return {
        "stock": stock,
        "plex": keras_plex.plexify(stock, last_blocks=1, **options),
        "ensemble": keras_plex.models.DeepEnsemble.from_model(stock, 2, seed=0),
    }


def test_a_probe_learns_the_rows():
    adaptation = ProbeAdaptation(
        logits_model(), DATA, LABELS, "here", on_progress=None, **OPTIONS
    )
    forecast = adaptation.adapt(ROWS, False)
    probe = fit_probe(TRAIN[0][ROWS][:, None], TRAIN[1][ROWS], l2=1.0)
    for name, (x, _) in (("pool", TRAIN), ("test", TEST)):
        expected = probe.predict(x[:, None]).probabilities
        np.testing.assert_allclose(
            forecast(name).probabilities, expected, atol=1e-6
        )


@pytest.mark.parametrize("kind", ["stock", "plex", "ensemble"])
def test_a_copy_is_trained_anew_each_time(kind):
    model = make_models()[kind]
    before = [x.copy() for x in model.get_weights()]
    seen = []

    def fit(copy, x, y):
        np.testing.assert_array_equal(x, TRAIN[0][ROWS])
        np.testing.assert_array_equal(y, TRAIN[1][ROWS])
        seen.append([w.copy() for w in copy.get_weights()])
        assert copy is not model and type(copy) is type(model)
        return trained(copy, x, y)

    adaptation = FitAdaptation(model, fit, DATA, LABELS, **OPTIONS)
    untrained = model.predict(TEST[0], verbose=0)
    for _ in range(2):
        predictions = adaptation.adapt(ROWS, True)("test")
        assert len(predictions) == 300
        assert predictions.features.shape[0] == 300
        softmax = np.exp(untrained) / np.exp(untrained).sum(1, keepdims=True)
        assert np.abs(predictions.probabilities - softmax).max() > 1e-3
    for old, new, copied in zip(
        before, model.get_weights(), seen[1], strict=True
    ):
        np.testing.assert_array_equal(old, new)
        np.testing.assert_array_equal(old, copied)


def test_a_copy_is_compiled_like_the_model():
    model = logits_model()
    model.compile("adam", "sparse_categorical_crossentropy")

    def fit(copy, x, y):
        assert copy.compiled and copy.optimizer is not model.optimizer
        return copy

    FitAdaptation(model, fit, DATA, LABELS, **OPTIONS).adapt(ROWS, False)


def test_the_first_examples_count():
    labels = {name: one[:50] for name, one in LABELS.items()}
    adaptation = FitAdaptation(
        logits_model(),
        lambda copy, x, y: copy,
        DATA,
        labels,
        batch_size=32,
        max_examples=50,
    )
    assert len(adaptation.adapt(ROWS[:2], False)("pool")) == 50


@pytest.mark.parametrize(
    "fit, received",
    [(lambda copy, x, y: None, "NoneType"), (lambda *_: MODEL, "Sequential")],
)
def test_fit_must_return_another_model(fit, received):
    adaptation = FitAdaptation(MODEL, fit, DATA, LABELS, **OPTIONS)
    with pytest.raises(ValueError, match=f"`fit` must return.*{received}"):
        adaptation.adapt(ROWS, False)


MODEL = logits_model()


def test_classes_that_the_trained_model_lacks_are_refused():
    two = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    adaptation = FitAdaptation(
        two, lambda copy, x, y: copy, DATA, LABELS, **OPTIONS
    )
    with pytest.raises(ValueError, match="class indices 0 to 1"):
        adaptation.adapt(ROWS, False)("test")


def test_shuffled_data_are_refused():
    with pytest.raises(ValueError, match="`pool`.*Leave `shuffle` out"):
        check_same_order("pool", np.array([0, 1]), np.array([1, 0]))


@pytest.mark.parametrize("batch_size", [1, 7, 300])
def test_rows_keep_their_order(batch_size):
    found, labels = take_rows(DataSet(TRAIN), ROWS, batch_size)
    np.testing.assert_array_equal(found, TRAIN[0][ROWS])
    np.testing.assert_array_equal(labels, TRAIN[1][ROWS])
    both = DataSet(({"a": TRAIN[0], "b": TRAIN[1]}, TRAIN[1]))
    found, _ = take_rows(both, ROWS, batch_size)
    np.testing.assert_array_equal(found["a"], TRAIN[0][ROWS])
    np.testing.assert_array_equal(found["b"], TRAIN[1][ROWS])


def test_rows_of_texts_are_texts():
    batches = [(["a", "b"], np.zeros(2)), (["c", "d"], np.zeros(2))]
    found, _ = take_rows(DataSet(batches), np.array([3, 0]), 32)
    assert found.tolist() == ["d", "a"]


def test_fit_gets_labels_as_the_pool_has_them():
    one_hot = np.eye(4, dtype="float32")[TRAIN[1]]
    seen = []

    def fit(copy, x, y):
        seen.append(y)
        return copy

    data = {**DATA, "pool": DataSet((TRAIN[0], one_hot))}
    FitAdaptation(logits_model(), fit, data, LABELS, **OPTIONS).adapt(
        ROWS, False
    )
    np.testing.assert_array_equal(seen[0], one_hot[ROWS])
