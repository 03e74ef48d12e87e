"""Options of `compile` and `fit` do for members what they do in Keras."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_plex import plexify
from tests import cases

X = cases.examples(cases.mlp(), 8)
Y = np.arange(8) % 3
LOSS = keras.losses.SparseCategoricalCrossentropy(from_logits=True)

xla = pytest.mark.skipif(
    keras.config.backend() == "torch",
    reason="PyTorch compiles by its own compiler, which needs a C++ tool chain",
)


def trained(optimizer=None, compile_options=None, **fit_options):
    plex = plexify(cases.make("mlp"), last_blocks=1, head="gp", seed=0)
    plex.compile(
        optimizer or keras.optimizers.SGD(0.1), LOSS, **compile_options or {}
    )
    options = {"batch_size": 4, "shuffle": False, "verbose": 0, **fit_options}
    plex.fit(X, Y, **options)
    return plex


def state(plex):
    return [ops.convert_to_numpy(w) for w in plex.weights]


def assert_same(one, other, atol=1e-5):
    for a, b, weight in zip(state(one), state(other), one.weights, strict=True):
        np.testing.assert_allclose(a, b, atol=atol, err_msg=weight.path)


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({"jit_compile": True}, marks=xla),
        {"run_eagerly": True},
        pytest.param(
            {"steps_per_execution": 2},
            marks=pytest.mark.skipif(
                keras.config.backend() == "torch",
                reason="Keras has none on PyTorch",
            ),
        ),
    ],
)
def test_how_a_step_runs_changes_nothing(options):
    one = trained(compile_options={"jit_compile": False})
    other = trained(compile_options=options)
    assert_same(one, other)
    np.testing.assert_allclose(
        other.predict_members(X), one.predict_members(X), atol=1e-5
    )
    assert other.evaluate(X, Y, verbose=0) == pytest.approx(
        one.evaluate(X, Y, verbose=0), abs=1e-5
    )


def test_accumulated_gradients_are_those_of_the_whole_batch():
    halves = keras.optimizers.SGD(0.1, gradient_accumulation_steps=2)
    assert_same(trained(batch_size=8), trained(halves, batch_size=4))


def test_ones_as_weights_are_no_weights():
    plain = trained()
    assert_same(plain, trained(sample_weight=np.ones(8)))
    assert_same(plain, trained(class_weight={0: 1.0, 1: 1.0, 2: 1.0}))


def test_weights_of_classes_are_weights_of_examples():
    of_class = {0: 0.5, 1: 2.0, 2: 1.0}
    of_example = np.array([of_class[label] for label in Y])
    one = trained(class_weight=of_class)
    assert_same(one, trained(sample_weight=of_example))
    assert np.abs(state(one)[0] - state(trained())[0]).max() > 1e-4


def test_a_moving_average_of_weights_ends_in_the_model():
    plex = trained(keras.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.5))
    plain = trained()
    # Keras writes the average over the weights when `fit` ends.
    gaps = zip(state(plex), state(plain), strict=True)
    assert max(np.abs(a - b).max() for a, b in gaps) > 1e-5
    assert np.all(np.isfinite(plex.predict(X, verbose=0)))


def test_weight_decay_and_clipping_reach_the_members():
    still = keras.optimizers.SGD(0.1, clipnorm=1e-9)
    start = plexify(cases.make("mlp"), last_blocks=1, head="gp", seed=0)
    clipped = trained(still)
    for old, new in zip(
        start.trainable_weights, clipped.trainable_weights, strict=True
    ):
        np.testing.assert_allclose(old, new, atol=1e-6)
    decayed = trained(
        keras.optimizers.SGD(0.1, clipnorm=1e-9, weight_decay=0.5)
    )
    # Two steps of size 0.1 * 0.5 each, away from where they started.
    alpha = ops.convert_to_numpy(start.layers[1].alpha) * 0.95**2
    np.testing.assert_allclose(decayed.layers[1].alpha, alpha, atol=1e-5)
