"""Member k equals a model of one member with that member's weights."""

import warnings

import keras
import numpy as np
import pytest
from keras import layers
from keras import ops
from keras import tree

from keras_plex import plexify
from keras_plex.conversion.surgery import walk_layers
from tests import cases
from tests import subclassed_models as subclassed

MEMBER_WEIGHTS = ("alpha", "gamma", "member_bias")


def siamese():
    """Two towers of one shared layer, compared."""
    a, b = keras.Input((4,), name="a"), keras.Input((4,), name="b")
    shared = layers.Dense(6, "relu", name="shared")
    x = layers.Concatenate()([shared(a), shared(b)])
    return keras.Model([a, b], layers.Dense(3, name="head")(x))


def shared_by_trunk_and_members():
    """One layer before and after that with members: two kinds of rows."""
    inputs = keras.Input((4,))
    shared = layers.Dense(4, "relu", name="shared")
    x = layers.Dense(4, "tanh", name="members")(shared(inputs))
    return keras.Model(inputs, layers.Dense(3, name="head")(shared(x)))


def twice_nested():
    inputs = keras.Input((4,))
    inner = cases.make("nested")
    return keras.Model(inputs, layers.Dense(3, name="top")(inner(inputs)))


def normalized():
    inputs = keras.Input((4,))
    x = layers.Dense(6, name="members")(inputs)
    x = layers.BatchNormalization()(x)
    return keras.Model(inputs, layers.Dense(3, name="head")(x))


def folded():
    """Words of all sentences as rows: member by member they stay apart."""
    inputs = keras.Input((6, 4))
    x = ops.reshape(inputs, (-1, 4))
    x = layers.Dense(6, "tanh", name="members")(x)
    x = ops.mean(ops.reshape(x, (-1, 6, 6)), axis=1)
    return keras.Model(inputs, layers.Dense(3, name="head")(x))


# Name -> what makes the model, and the layers that get members.
MODELS = {
    "siamese": (siamese, ["shared"]),
    "shared": (shared_by_trunk_and_members, ["members"]),
    "twice_nested": (twice_nested, ["dense_2"]),
    "normalized": (normalized, ["members"]),
    "folded": (folded, ["members"]),
    "multi_output": (lambda: cases.make("multi_output"), ["dense_2"]),
    "two_inputs": (lambda: cases.make("two_inputs"), ["dense_1"]),
    "subclassed": (
        lambda: subclassed.make(subclassed.RawResidual),
        ["dense_2"],
    ),
}


def converted(model, size, patterns):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # all of it may run once per member
        return plexify(
            model,
            size,
            layers=patterns,
            head="keep",
            fast_weight_stddev=0.5,
            seed=0,
        )


@pytest.mark.parametrize("name", MODELS)
def test_each_member_is_a_model_of_its_own(name):
    make, patterns = MODELS[name]
    keras.utils.set_random_seed(0)
    model = cases.with_random_weights(make())
    for weight in model.weights:
        if "variance" in weight.path:
            weight.assign(ops.square(weight) + 0.5)
    is_class = not getattr(model, "inputs", None)
    x = subclassed.numbers() if is_class else cases.examples(model)
    plex = converted(model, 3, patterns)
    together = tree.flatten(plex.predict_members(x))
    assert any(
        flag and np.ptp(output, axis=1).max() > 1e-3
        for output, flag in zip(together, plex.member_outputs, strict=True)
    )
    for k in range(3):
        one = converted(model, 1, patterns)
        pairs = zip(walk_layers(plex), walk_layers(one), strict=True)
        for many, single in pairs:
            if not hasattr(many, "ensemble_size"):
                continue
            for weight in MEMBER_WEIGHTS:
                if isinstance(getattr(many, weight, None), keras.Variable):
                    value = getattr(many, weight)[k : k + 1]
                    getattr(single, weight).assign(value)
        alone = tree.flatten(one.predict_members(x))
        for a, b, flag in zip(
            together, alone, plex.member_outputs, strict=True
        ):
            found = a[:, k] if flag else a
            expected = b[:, 0] if b.ndim == found.ndim + 1 else b
            np.testing.assert_allclose(found, expected, atol=1e-5)


def test_examples_compared_with_each_other_are_refused():
    inputs = keras.Input((4,))
    x = layers.Dense(6, name="members")(inputs)
    x = ops.matmul(ops.matmul(x, ops.transpose(x)), x)
    model = keras.Model(inputs, layers.Dense(3, name="head")(x))
    with pytest.raises(ValueError, match="compares the examples of a batch"):
        plexify(model, layers=["members"], head="keep")
