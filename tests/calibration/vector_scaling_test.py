"""Scale and bias are those that make labels likeliest."""

import json

import numpy as np
import pytest
from keras import ops
from scipy import optimize
from scipy import special

from keras_plex.calibration import TemperatureScaling
from keras_plex.calibration import VectorScaling

RNG = np.random.default_rng(0)


def drawn(true_logits):
    noise = RNG.gumbel(size=true_logits.shape)
    return np.argmax(true_logits + noise, axis=-1)


def nll(logits, labels, weights=None):
    p = special.softmax(logits.reshape(len(logits), -1, logits.shape[-1]), -1)
    of_label = p.mean(axis=1)[np.arange(len(labels)), labels]
    return np.average(-np.log(of_label), weights=weights)


LOGITS = 2 * RNG.normal(size=(500, 3))
LABELS = drawn(LOGITS * [0.5, 1.0, 1.5] + [0.5, 0.0, -0.5])
MEMBERS = LOGITS[:, None] + RNG.normal(size=(500, 2, 3))


@pytest.mark.parametrize("prior_stddev", [None, 0.5, 0.1])
@pytest.mark.parametrize("outputs", [LOGITS, MEMBERS])
def test_numbers_are_the_optimum(outputs, prior_stddev):
    weights = RNG.integers(0, 3, size=500)
    scaling = VectorScaling(prior_stddev=prior_stddev)
    scaling.fit(outputs, LABELS, weights)
    start = np.r_[np.ones(3), np.zeros(3)]

    def loss(point):
        value = nll(outputs * point[:3] + point[3:], LABELS, weights)
        if prior_stddev is None:
            return value
        squares = np.sum(((point - start) / prior_stddev) ** 2)
        return value + squares / 2 / np.sum(weights > 0)

    found = optimize.minimize(loss, start, method="BFGS", tol=1e-9)
    scale, bias = found.x[:3], found.x[3:] - found.x[3:].mean()
    np.testing.assert_allclose(scaling.scale, scale, atol=1e-4)
    np.testing.assert_allclose(scaling.bias, bias, atol=1e-4)
    ours = nll(outputs * scaling.scale + scaling.bias, LABELS, weights)
    assert ours <= found.fun + 1e-12 < nll(outputs, LABELS, weights)


@pytest.mark.parametrize("seed", range(3))
def test_few_errors_do_not_run_away_with_the_numbers(seed):
    generator = np.random.default_rng(seed)
    logits, fresh = 4 * generator.normal(size=(2, 4000, 4))
    labels, of_fresh = [
        np.argmax(x + generator.gumbel(size=x.shape), axis=-1)
        for x in (logits, fresh)
    ]
    free, held = [
        nll(scaling.fit(logits[:60], labels[:60])(fresh), of_fresh)
        for scaling in (VectorScaling(prior_stddev=100.0), VectorScaling())
    ]
    assert held < free


def test_known_numbers_are_recovered():
    logits = 2 * RNG.normal(size=(200_000, 3))
    scale, bias = np.array([0.5, 1.0, 2.0]), np.array([0.5, 0.0, -0.5])
    scaling = VectorScaling().fit(logits, drawn(logits * scale + bias))
    np.testing.assert_allclose(scaling.scale, scale, atol=0.03)
    np.testing.assert_allclose(scaling.bias, bias, atol=0.03)


def test_it_is_at_least_as_likely_as_a_temperature():
    temperature = TemperatureScaling().fit(LOGITS, LABELS)
    scaling = VectorScaling().fit(LOGITS, LABELS)
    assert nll(scaling(LOGITS), LABELS) < nll(temperature(LOGITS), LABELS)


def test_one_logit_has_one_scale_and_one_bias():
    logits = 2 * RNG.normal(size=(400, 1))
    labels = drawn(np.concatenate([0 * logits, 0.5 * logits + 1], axis=-1))
    scaling = VectorScaling("sigmoid_logits", prior_stddev=None)
    scaling.fit(logits, labels)

    def loss(point):
        z = point[0] * logits[:, 0] + point[1]
        return -np.mean(special.log_expit(np.where(labels, z, -z)))

    found = optimize.minimize(loss, [1, 0], method="BFGS", tol=1e-9)
    assert scaling.scale == pytest.approx([found.x[0]], abs=1e-4)
    assert scaling.bias == pytest.approx([found.x[1]], abs=1e-4)
    head = VectorScaling("probabilities", prior_stddev=None)
    head.fit(special.expit(logits), labels)
    assert head.scale == pytest.approx(scaling.scale, rel=1e-4)
    np.testing.assert_allclose(
        head(special.expit(logits)), special.expit(scaling(logits)), atol=1e-5
    )


def test_call_is_the_same_on_tensors_and_after_a_file():
    scaling = VectorScaling().fit(MEMBERS, LABELS)
    x = MEMBERS[:4].astype("float32")
    found = scaling(x)
    np.testing.assert_allclose(
        found, x * np.array(scaling.scale) + scaling.bias, atol=1e-6
    )
    on_tensor = ops.convert_to_numpy(scaling(ops.convert_to_tensor(x)))
    np.testing.assert_array_equal(on_tensor, found)
    config = json.loads(json.dumps(scaling.get_config()))
    twin = VectorScaling.from_config(config)
    np.testing.assert_array_equal(twin(x), found)
    assert twin.num_examples == 500


def test_faults_are_named():
    with pytest.raises(ValueError, match="fits 6 numbers.*Received: 5"):
        VectorScaling().fit(LOGITS[:5], LABELS[:5])
    with pytest.raises(ValueError, match="examples of every class"):
        VectorScaling().fit(LOGITS, LABELS % 2)
    with pytest.raises(ValueError, match="none of 2 of 3 classes"):
        VectorScaling().fit(LOGITS, 0 * LABELS)
    with pytest.raises(ValueError, match="Every label is right"):
        VectorScaling().fit(LOGITS, LOGITS.argmax(-1))
    with pytest.raises(ValueError, match="Every label is right"):
        VectorScaling(prior_stddev=None).fit(
            LOGITS, (LOGITS + [1, 0, 0]).argmax(-1)
        )
    for stddev in (0.0, -1.0, np.inf, "1"):
        with pytest.raises(ValueError, match="`prior_stddev` must be positive"):
            VectorScaling(prior_stddev=stddev)
    scaling = VectorScaling().fit(LOGITS, LABELS)
    with pytest.raises(ValueError, match="those of 3 units"):
        scaling(LOGITS[:, :2])
