"""What both BatchEnsemble layers keep: stores, LoRA, regularizers, seeds."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_plex.layers import BatchEnsembleDense
from keras_plex.layers import BatchEnsembleEinsumDense
from keras_plex.layers.batch_ensemble import reseeded

LAYERS = {
    "dense": lambda **a: BatchEnsembleDense(4, 2, **a),
    "einsum": lambda **a: BatchEnsembleEinsumDense(
        "ab,bc->ac", 4, 2, bias_axes="c", **a
    ),
}
each_layer = pytest.mark.parametrize("make", LAYERS.values(), ids=LAYERS)


@each_layer
def test_a_store_holds_the_stock_keys_and_the_members(make):
    layer = make()
    layer.build((None, 3))
    store = {}
    layer.save_own_variables(store)
    assert sorted(store) == ["0", "1", "alpha", "gamma", "member_bias"]


@each_layer
def test_a_store_restores_every_weight(make):
    one, two = make(), make()
    store = {}
    for layer in (one, two):
        layer.build((None, 3))
    one.save_own_variables(store)
    two.load_own_variables(store)
    for a, b in zip(one.weights, two.weights, strict=True):
        np.testing.assert_array_equal(
            ops.convert_to_numpy(a), ops.convert_to_numpy(b)
        )


@each_layer
def test_a_stock_store_leaves_the_members_as_they_are(make):
    layer = make()
    layer.build((None, 3))
    alpha = ops.convert_to_numpy(layer.alpha).copy()
    layer.load_own_variables({"0": np.ones((3, 4)), "1": np.full(4, 2.0)})
    np.testing.assert_array_equal(ops.convert_to_numpy(layer.kernel), 1.0)
    np.testing.assert_array_equal(ops.convert_to_numpy(layer.bias), 2.0)
    np.testing.assert_array_equal(ops.convert_to_numpy(layer.alpha), alpha)


@each_layer
def test_regularizers_and_constraints_are_those_of_the_stock_layer(make):
    layer = make(kernel_regularizer="l2", kernel_constraint="non_neg")
    layer.build((None, 3))
    # L2 with the factor 0.01 of the kernel alone, not of the fast weights.
    kernel = ops.convert_to_numpy(layer.kernel)
    np.testing.assert_allclose(
        ops.convert_to_numpy(layer.losses[0]), 0.01 * (kernel**2).sum(), 1e-5
    )
    assert len(layer.losses) == 1
    assert layer.kernel.constraint is not None


@each_layer
def test_a_layer_built_from_a_config_with_lora_has_its_members(make):
    layer = make(lora_rank=2)
    layer.build((None, 3))
    assert layer.lora_enabled
    assert tuple(layer.alpha.shape) == (2, 3)


def test_reseeded_draws_again_from_the_same_distribution():
    first = keras.initializers.RandomNormal(1.0, 0.5, seed=3)
    second = reseeded(first)
    assert (second.mean, second.stddev) == (1.0, 0.5)
    one = ops.convert_to_numpy(first((4,)))
    two = ops.convert_to_numpy(second((4,)))
    assert np.abs(one - two).max() > 0.1
    again = ops.convert_to_numpy(reseeded(first)((4,)))
    np.testing.assert_array_equal(two, again)


@pytest.mark.parametrize(
    "initializer",
    [
        keras.initializers.Ones(),
        keras.initializers.RandomNormal(seed=keras.random.SeedGenerator(1)),
    ],
)
def test_reseeded_leaves_what_has_no_fixed_seed(initializer):
    assert reseeded(initializer) is initializer
