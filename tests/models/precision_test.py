"""Converted models under each dtype policy."""

import keras
import numpy as np
import pytest
from keras import layers
from keras import ops

from keras_plex import plexify
from tests import cases

LABELS = np.array([0, 1, 2, 0])

# Policy -> the spacing of its numbers around one.
EPSILONS = {
    "mixed_bfloat16": 2.0**-8,
    "mixed_float16": 2.0**-11,
    "bfloat16": 2.0**-8,
    "float16": 2.0**-11,
}

no_float16_on_cpu = pytest.mark.skipif(
    keras.config.backend() == "jax",
    reason="JAX cannot multiply float16 on a CPU, in a stock model neither: "
    "F16_F16_F32 is not supported by dot_general",
)


def under(policy: str, name: str) -> keras.Model:
    if policy == "float64":
        keras.config.set_floatx("float64")
    keras.config.set_dtype_policy(policy)
    return cases.make(name)


def fit(plex, **arguments):
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    plex.compile(keras.optimizers.SGD(0.1), loss)
    return plex.fit(cases.examples(plex), LABELS, verbose=0, **arguments)


@pytest.mark.parametrize("policy", EPSILONS)
@pytest.mark.parametrize("name", ["mlp", "vit"])
def test_members_start_neutral_to_the_rounding_of_the_policy(policy, name):
    stock = under(policy, name)
    plex = plexify(stock, last_blocks=1, fast_weight_stddev=0.0)
    x = cases.examples(stock)
    found, expected = (
        cases.to_numpy(ops.softmax(ops.cast(model(x), "float32")))
        for model in (plex, stock)
    )
    # A float32 softmax of the logits, which are rounded once more by mixing.
    tolerance = max(4 * EPSILONS[policy], 1e-6)
    np.testing.assert_allclose(found, expected, atol=tolerance)
    assert plex(x).dtype == stock(x).dtype


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "bfloat16"])
def test_statistics_are_float32_and_learn(policy):
    plex = plexify(under(policy, "mlp"), last_blocks=1, seed=0)
    history = fit(plex, epochs=2).history["loss"]
    assert np.all(np.isfinite(history))
    covariance = plex.covariance_head.covariance
    assert {w.dtype for w in covariance.weights} == {"float32"}
    assert plex.covariance_head.mean_field.dtype == "float32"
    assert float(covariance.has_data) == 1.0


@no_float16_on_cpu
def test_an_overflow_is_left_out_and_lowers_the_scale_of_the_loss():
    plex = plexify(under("mixed_float16", "mlp"), last_blocks=1, seed=0)
    fit(plex)
    assert type(plex.optimizer) is keras.optimizers.LossScaleOptimizer
    before = [ops.convert_to_numpy(w) for w in plex.trainable_weights]
    precision = plex.covariance_head.covariance.precision
    scale = float(plex.optimizer.dynamic_scale)
    too_large = np.full((4, 4), 60_000.0, "float32")
    plex.train_on_batch(too_large, LABELS)
    assert float(plex.optimizer.dynamic_scale) == scale / 2
    for old, weight in zip(before, plex.trainable_weights, strict=True):
        np.testing.assert_array_equal(old, ops.convert_to_numpy(weight))
    # Rows whose features are finite count, whatever their gradients.
    assert np.isfinite(ops.convert_to_numpy(precision)).all()


@no_float16_on_cpu
def test_the_scale_of_the_loss_grows_after_good_steps():
    plex = plexify(under("mixed_float16", "mlp"), last_blocks=1, seed=0)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    optimizer = keras.optimizers.LossScaleOptimizer(
        keras.optimizers.SGD(0.1), initial_scale=4.0, dynamic_growth_steps=2
    )
    plex.compile(optimizer, loss)
    x = cases.examples(plex)
    plex.fit(x, LABELS, epochs=2, verbose=0)
    assert float(optimizer.dynamic_scale) == 8.0


def mixed_model():
    """One layer of each policy."""
    inputs = keras.Input((4,))
    x = layers.Dense(6, "relu", dtype="mixed_bfloat16", name="dense_1")(inputs)
    x = layers.Dense(6, "relu", dtype="bfloat16", name="dense_2")(x)
    return keras.Model(inputs, layers.Dense(3, name="head")(x))


def test_each_layer_keeps_its_policy_also_in_a_file(tmp_path):
    stock = cases.with_random_weights(mixed_model())
    plex = plexify(stock, last_blocks=1, seed=0)
    plex.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    for model in (plex, loaded):
        for layer in stock.layers:
            copied = model.get_layer(layer.name)
            assert copied.dtype_policy.name == layer.dtype_policy.name
    x = cases.examples(stock)
    np.testing.assert_array_equal(
        cases.to_numpy(loaded(x)), cases.to_numpy(plex(x))
    )
