"""A pass returns what its mode asks for, and tiles inputs as a last resort."""

import types

import numpy as np
import pytest
from keras import ops

from keras_plex.conversion import forward_pass
from keras_plex.conversion.tiling import Layout
from keras_plex.models.tiled_pass import tiled_pass

X = np.arange(6.0, dtype="float32").reshape(3, 2)
SHAPES = {
    forward_pass.FORECAST: (3, 2),
    forward_pass.MEMBERS: (6, 2),
}


def model():
    return types.SimpleNamespace(
        name="model",
        ensemble_size=2,
        member_outputs=(True,),
        output_kinds=("regression",),
        covariance_head=None,
        calibrator=None,
        conformal_sets=None,
        warn_if_unsure=lambda: None,
        call=lambda inputs, mask=None: inputs,
    )


def run(stock_call, tiled_inputs=True, **options):
    layout = Layout(tiled_inputs, (True,))
    x = ops.convert_to_tensor(X)
    return tiled_pass(model(), stock_call, (x,), {}, layout=layout, **options)


def identity(x):
    return x


@pytest.mark.parametrize("mode", SHAPES)
def test_the_mode_decides_what_comes_back(mode):
    with forward_pass.returning(mode):
        assert run(identity).shape == SHAPES[mode]


def test_inputs_are_tiled_only_where_the_layout_says_so():
    seen = []

    def call(x):
        seen.append(x.shape[0])
        return ops.concatenate([x, x]) if x.shape[0] == 3 else x

    for tiled_inputs in (True, False):
        np.testing.assert_array_equal(run(call, tiled_inputs), X)
    assert seen == [6, 3]


def test_layers_know_the_pass_and_it_knows_its_head():
    def call(x):
        assert forward_pass.is_class_token_only()
        forward_pass.record_head_inputs(2 * x)
        return x

    with forward_pass.returning(forward_pass.FEATURES):
        found = run(call, class_token_only=True)
    assert not forward_pass.is_class_token_only()
    np.testing.assert_array_equal(found["features"][:, 1], 2 * X)
