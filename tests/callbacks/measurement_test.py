"""Each set passes once, and is kept without its features."""

import keras
import numpy as np
import pytest

from keras_plex.callbacks.measurement import Measurement
from keras_plex.callbacks.measurement import NotFiniteError

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(20, 4)).astype("float32"), np.arange(20) % 3


@pytest.fixture
def model():
    keras.utils.set_random_seed(0)
    layers = [keras.layers.Dense(8, "relu"), keras.layers.Dense(3)]
    model = keras.Sequential([keras.Input((4,)), *layers])
    model.compile(run_eagerly=True)
    return model


def take(model, scores=("msp",), ood=None, **options):
    measurement = Measurement(
        model, **{"batch_size": 8, "max_examples": None, **options}
    )
    ood = {"far": 9 * X} if ood is None else ood
    noisy = {"noise": (X + 1, Y)}
    values = measurement.take((X, Y), ood, noisy, scores, (X, Y))
    return measurement, values


def test_the_numbers_have_the_names_of_their_sets_and_scores(model):
    _, values = take(model, ["entropy", "knn"])
    expected = {"val_nll", "val_ece", "val_brier"}
    for metric in ("accuracy", "nll", "ece", "brier"):
        expected.add(f"shifted/noise_{metric}")
    for metric in ("auroc", "aupr", "fpr95"):
        expected |= {f"ood/far/entropy_{metric}", f"ood/far/knn_{metric}"}
    assert set(values) == expected
    assert all(type(value) is float for value in values.values())


def test_without_unknown_data_no_score_is_computed(model):
    measurement, values = take(model, ["mahalanobis"], ood={})
    assert not any(name.startswith("ood") for name in values)
    assert not measurement.score_values


def test_what_is_kept_has_no_features(model):
    measurement, _ = take(model, ["mahalanobis"])
    assert set(measurement.predictions) == {
        "validation",
        "shifted/noise",
        "ood/far",
    }
    for found, _ in measurement.predictions.values():
        assert found.features is None
    assert measurement.score_values["ood/far"]["mahalanobis"].shape == (20,)


def test_outputs_that_are_not_finite_are_an_error_of_their_own(model):
    model.layers[1].bias.assign([0.0, np.nan, 0.0])
    with pytest.raises(NotFiniteError, match="set 'validation' are NaN"):
        take(model)


def test_the_first_examples_are_enough_where_asked(model):
    measurement, _ = take(model, max_examples=8)
    sizes = {len(found) for found, _ in measurement.predictions.values()}
    assert sizes == {8}
