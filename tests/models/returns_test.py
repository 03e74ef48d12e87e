"""What each mode of a pass returns."""

import keras
import numpy as np
import pytest
from keras import ops

import keras_plex
from keras_plex.conversion import forward_pass
from keras_plex.models import returns
from keras_plex.models.returns import RETURNS

X = np.random.default_rng(0).normal(size=(5, 4)).astype("float32")
SHAPES = {"outputs": (5, 3, 3), "variance": (5, 3), "features": (5, 3, 8)}


def make_plex(head, **options):
    stock = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(8, "relu"),
            keras.layers.Dense(3),
        ]
    )
    if head == "gp":
        options["head_options"] = {"num_features": 8}
    return keras_plex.plexify(
        stock, last_blocks=1, head=head, seed=0, **options
    )


@pytest.fixture(scope="module")
def gp():
    return make_plex("gp")


@pytest.fixture(scope="module")
def keep():
    return make_plex("keep")


def run(model, mode):
    with forward_pass.returning(mode):
        return model(X)


def shapes_of(found):
    return {name: tuple(value.shape) for name, value in found.items()}


def test_every_mode_has_its_function():
    modes = {
        forward_pass.FORECAST,
        forward_pass.MEMBERS,
        forward_pass.DETAILS,
        forward_pass.FEATURES,
    }
    assert set(RETURNS) == modes


def test_forecast_has_one_row_per_example(gp, keep):
    for model in (gp, keep):
        assert run(model, forward_pass.FORECAST).shape == (5, 3)


def test_members_have_member_major_rows(gp, keep):
    for model in (gp, keep):
        rows = run(model, forward_pass.MEMBERS)
        assert rows.shape == (15, 3)
        outputs = run(model, forward_pass.DETAILS)["outputs"]
        by_member = ops.reshape(rows, (3, 5, 3))
        np.testing.assert_array_equal(
            np.swapaxes(by_member, 0, 1), ops.convert_to_numpy(outputs)
        )


def test_details_have_a_variance_with_a_gp_head_only(gp, keep):
    expected = {name: SHAPES[name] for name in ("outputs", "variance")}
    assert shapes_of(run(gp, forward_pass.DETAILS)) == expected
    expected = {"outputs": SHAPES["outputs"]}
    assert shapes_of(run(keep, forward_pass.DETAILS)) == expected


def test_features_come_with_the_details_in_float32(gp):
    found = run(gp, forward_pass.FEATURES)
    assert shapes_of(found) == SHAPES
    assert found["features"].dtype == "float32"


def test_features_row_belongs_to_its_example_and_member(keep):
    found = run(keep, forward_pass.FEATURES)
    out = keep.layers[-1]
    outputs = found["features"] @ out.kernel + out.bias
    np.testing.assert_allclose(outputs, found["outputs"], atol=1e-6)


def test_features_need_a_dense_output_layer(keep):
    with pytest.raises(ValueError, match="no `Dense` output layer"):
        returns.features(keep, ops.zeros((15, 3)), None)


def test_single_member_is_an_ensemble_of_one():
    model = make_plex("gp", ensemble_size=1)
    found = run(model, forward_pass.FEATURES)
    assert shapes_of(found) == {
        "outputs": (5, 1, 3),
        "variance": (5, 1),
        "features": (5, 1, 8),
    }
    assert run(model, forward_pass.FORECAST).shape == (5, 3)


def test_output_that_members_do_not_reach_is_left_alone():
    inputs = keras.Input((4,))
    x = keras.layers.Dense(8, "relu", name="deep")(inputs)
    outputs = [
        keras.layers.Dense(3, name="label")(x),
        keras.layers.Dense(2, name="side")(inputs),
    ]
    stock = keras.Model(inputs, outputs)
    model = keras_plex.plexify(stock, head="keep", layers=["deep"], seed=0)
    assert model.conversion.layout.member_outputs == (True, False)
    label, side = run(model, forward_pass.FORECAST)
    assert label.shape == (5, 3)
    np.testing.assert_array_equal(side, stock(X)[1])
    label, side = run(model, forward_pass.DETAILS)["outputs"]
    assert label.shape == (5, 3, 3) and side.shape == (5, 2)
