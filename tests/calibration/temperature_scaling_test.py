"""The temperature is the one that makes labels likeliest."""

import json

import keras
import numpy as np
import pytest
from keras import ops
from scipy import optimize
from scipy import special

from keras_plex.calibration import TemperatureScaling

RNG = np.random.default_rng(0)


def drawn(true_logits):
    """Labels drawn from a softmax of logits."""
    noise = RNG.gumbel(size=true_logits.shape)
    return np.argmax(true_logits + noise, axis=-1)


def nll(logits, labels, weights=None):
    p = special.softmax(logits.reshape(len(logits), -1, logits.shape[-1]), -1)
    of_label = p.mean(axis=1)[np.arange(len(labels)), labels]
    return np.average(-np.log(of_label), weights=weights)


LOGITS = 2 * RNG.normal(size=(400, 4))
LABELS = drawn(LOGITS)
MEMBERS = LOGITS[:, None] + RNG.normal(size=(400, 3, 4))


def test_known_temperature_is_recovered():
    true = 2 * RNG.normal(size=(200_000, 3))
    scaling = TemperatureScaling().fit(2.5 * true, drawn(true))
    assert scaling.temperature == pytest.approx(2.5, rel=0.01)
    assert scaling.num_examples == 200_000


@pytest.mark.parametrize("outputs", [3 * LOGITS, 0.2 * LOGITS, 4 * MEMBERS])
def test_temperature_is_the_optimum(outputs):
    weights = RNG.integers(0, 3, size=400)
    scaling = TemperatureScaling().fit(outputs, LABELS, weights)
    found = optimize.minimize_scalar(
        lambda t: nll(outputs / np.exp(t), LABELS, weights),
        bounds=(-3, 3),
        method="bounded",
        options={"xatol": 1e-10},
    )
    assert scaling.temperature == pytest.approx(np.exp(found.x), rel=1e-6)
    before = nll(outputs, LABELS, weights)
    assert nll(outputs / scaling.temperature, LABELS, weights) < before


def test_members_have_their_own_temperatures_at_the_joint_optimum():
    sharpness = np.array([1.0, 3.0, 9.0])[:, None]
    outputs = MEMBERS * sharpness
    scaling = TemperatureScaling(per_member=True).fit(outputs, LABELS)
    temperature = np.array(scaling.temperature)
    assert np.all(np.diff(temperature) > 0)
    best = nll(outputs / temperature[:, None], LABELS)
    shared = TemperatureScaling().fit(outputs, LABELS).temperature
    assert best < nll(outputs / shared, LABELS)
    found = optimize.minimize(
        lambda t: nll(outputs / np.exp(t)[:, None], LABELS),
        np.log(temperature) + 0.1,
        method="Nelder-Mead",
        options={"xatol": 1e-7, "fatol": 1e-12},
    )
    np.testing.assert_allclose(temperature, np.exp(found.x), rtol=1e-4)


def test_one_logit_and_probabilities_have_the_temperature_of_two_logits():
    logits = 3 * RNG.normal(size=(300, 1))
    labels = drawn(np.concatenate([0 * logits, logits / 2], axis=-1))
    pairs = np.concatenate([0 * logits, logits], axis=-1)
    expected = TemperatureScaling().fit(pairs, labels).temperature
    p = special.expit(logits)
    for kind, outputs in {
        "sigmoid_logits": logits,
        "probabilities": p,
    }.items():
        scaling = TemperatureScaling(kind).fit(outputs, labels)
        assert scaling.temperature == pytest.approx(expected, rel=1e-5), kind
    scaling = TemperatureScaling("probabilities")
    scaling.fit(np.concatenate([1 - p, p], axis=-1), labels)
    assert scaling.temperature == pytest.approx(expected, rel=1e-5)
    np.testing.assert_allclose(
        scaling(np.concatenate([1 - p, p], axis=-1))[:, 1:],
        special.expit(logits / expected),
        atol=1e-6,
    )


def test_soft_labels_count_as_their_share():
    soft = np.array([[0.75, 0.25]] * 2)
    scaling = TemperatureScaling().fit([[4.0, 0.0]] * 2, soft)
    assert scaling.temperature == pytest.approx(4 / np.log(3), rel=1e-6)


def test_published_inverse_temperature_of_two_examples():
    probabilities = np.array([[0.2, 0.8], [0.3, 0.7]])
    scaling = TemperatureScaling("probabilities").fit(probabilities, [1, 0])
    assert 1 / scaling.temperature == pytest.approx(0.417771, abs=1e-6)


def test_where_the_best_inverse_temperature_is_negative_it_is_nearly_zero():
    # The published number is -0.23755: the order of the classes reversed.
    probabilities = np.array([[0.35, 0.35, 0.30], [0.80, 0.15, 0.05]])
    scaling = TemperatureScaling("probabilities").fit(probabilities, [2, 1])
    assert 0 < 1 / scaling.temperature < 1e-3


def test_random_labels_make_the_forecast_flat():
    logits = 5 * RNG.normal(size=(1000, 3))
    scaling = TemperatureScaling().fit(logits, np.arange(1000) % 3)
    p = special.softmax(scaling(logits), axis=-1)
    assert np.abs(p - 1 / 3).max() < 0.2


@pytest.mark.parametrize("per_member", [False, True])
def test_call_divides_in_graphs_as_on_arrays(per_member):
    scaling = TemperatureScaling(per_member=per_member)
    scaling.fit(2 * MEMBERS, LABELS)
    x = MEMBERS[:5].astype("float32")
    expected = x / np.reshape(scaling.temperature, (-1, 1))
    on_array = scaling(x)
    assert isinstance(on_array, np.ndarray)
    np.testing.assert_allclose(on_array, expected, rtol=1e-6)
    on_tensor = scaling(ops.convert_to_tensor(x))
    assert ops.is_tensor(on_tensor)
    np.testing.assert_array_equal(ops.convert_to_numpy(on_tensor), on_array)
    inputs = keras.Input((3, 4))
    model = keras.Model(inputs, keras.layers.Lambda(scaling)(inputs))
    found = model.predict(x, batch_size=2, verbose=0)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_config_brings_the_same_numbers_back():
    for per_member in (False, True):
        scaling = TemperatureScaling("softmax_logits", per_member)
        scaling.fit(2 * MEMBERS, LABELS)
        config = json.loads(json.dumps(scaling.get_config()))
        twin = TemperatureScaling.from_config(config)
        assert twin.get_config() == scaling.get_config()
        np.testing.assert_array_equal(twin(MEMBERS), scaling(MEMBERS))


def test_faults_are_named():
    with pytest.raises(ValueError, match="not fitted"):
        TemperatureScaling()(LOGITS)
    with pytest.raises(ValueError, match="needs at least 2 examples"):
        TemperatureScaling().fit(LOGITS[:1], LABELS[:1])
    with pytest.raises(ValueError, match="at least 3 examples"):
        TemperatureScaling(per_member=True).fit(MEMBERS[:2], LABELS[:2])
    with pytest.raises(ValueError, match="Every label is right"):
        TemperatureScaling().fit(LOGITS, LOGITS.argmax(-1))
    scaling = TemperatureScaling(per_member=True).fit(MEMBERS, LABELS)
    with pytest.raises(ValueError, match="of 3 members"):
        scaling(MEMBERS[:, :2])
