"""Members that cannot learn are worth a warning that says what to do."""

import warnings

import pytest

from keras_plex import plexify
from tests import cases

SOME = {"layers": ["dense_2"], "head": "keep"}


def frozen_mlp():
    model = cases.make("mlp")
    model.layers[1].trainable = False
    return model


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({}, "1 of 1 .*'mlp/dense_2'|1 of 1 .*'dense_2'"),
        ({}, r"`freeze_shared_weights\(\)`.*`fast_weight_stddev=0.0`"),
        ({"method": "lora_ensemble"}, "cannot learn to differ.*freeze_shared"),
    ],
)
def test_frozen_members_are_worth_a_warning(arguments, message):
    with pytest.warns(UserWarning, match=message) as found:
        plexify(frozen_mlp(), **SOME, **arguments)
    assert found[0].filename == __file__


@pytest.mark.parametrize(
    "make, arguments",
    [
        (frozen_mlp, {"fast_weight_stddev": 0.0}),
        (lambda: cases.make("mlp"), {}),
    ],
)
def test_others_are_not(make, arguments):
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        plexify(make(), **SOME, **arguments)
