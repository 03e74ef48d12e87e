"""Rows become members' rows where they must, once, and never mix."""

import re
import warnings

import keras
import keras_hub
import numpy as np
import pytest
from keras import layers
from keras import ops
from keras import tree

from keras_plex import plexify
from keras_plex.conversion import forward_pass
from keras_plex.conversion.convert import convert
from keras_plex.conversion.copying import copy_model
from keras_plex.conversion.settings import Settings
from keras_plex.conversion.surgery import producer
from keras_plex.conversion.surgery import walk_layers
from keras_plex.conversion.tiling import Layout
from keras_plex.conversion.tiling import MixedExamplesError
from keras_plex.conversion.tiling import TilesArguments
from keras_plex.conversion.tiling import is_batched
from keras_plex.conversion.tiling import map_tensors
from keras_plex.conversion.tiling import tile_where_needed
from tests import cases
from tests import text_models

WARNS = "Cannot tell where the rows of .* all of it runs once per member"


def plans(model):
    """Name -> which arguments are tiled, for each operation that tiles."""
    found = [
        layer
        for layer in walk_layers(model)
        if isinstance(layer, TilesArguments)
    ]
    found += [op for op in model.operations if isinstance(op, TilesArguments)]
    return {op.name: set(op.tile_plan) for op in found}


def plans_of(model, **settings):
    copy = copy_model(model)
    convert(copy, Settings(**{"head": "keep", **settings}))
    return plans(copy)


def test_only_the_first_block_of_a_vit_tiles():
    assert plans_of(cases.vit()) == {"transformer_block_2": {"inputs"}}


def test_a_residual_of_single_layers_tiles_its_shorter_branch():
    model = cases.transformer()
    assert plans_of(model, last_blocks=1) == {
        "down_2": {"inputs"},
        "add_mlp_2": {"inputs/0"},
    }
    assert plans_of(model, last_blocks=3) == {
        "attention_2": {"query", "value"},
        "add_attention_2": {"inputs/0"},
    }


def test_operations_that_are_no_layers_tile_too():
    model = cases.two_inputs()
    (add,) = [
        op.name for op in model.operations if not isinstance(op, layers.Layer)
    ]
    # dense_1(a) has members, b has not.
    assert plans_of(model, last_blocks=2) == {
        "dense_1": {"inputs"},
        add: {"x2"},
    }
    assert plans_of(model, last_blocks=1) == {"dense_2": {"inputs"}}


def test_a_converted_head_tiles_for_itself_where_it_is_first():
    model = cases.multi_output()
    found = plans_of(model, layers=["number"])
    assert found == {"number": {"inputs"}}


def test_one_member_needs_no_tiling():
    assert plans_of(cases.transformer(), ensemble_size=1) == {}


def test_each_output_says_whether_members_reach_it():
    plex = plexify(cases.make("multi_output"), layers=["number"], head="keep")
    x = cases.examples(plex)
    with forward_pass.returning(forward_pass.DETAILS):
        outputs = plex(x)["outputs"]
    assert outputs["number"].shape == (4, 3, 1)
    assert outputs["label"].shape == (4, 3)
    assert tree.map_structure(lambda t: tuple(t.shape), plex(x)) == {
        "label": (4, 3),
        "number": (4, 1),
    }


def neutral(model, **arguments):
    arguments = {"head": "keep", "fast_weight_stddev": 0.0, **arguments}
    plex = plexify(model, **arguments)
    x = cases.examples(model)
    np.testing.assert_allclose(
        ops.softmax(plex(x)), ops.softmax(model(x)), atol=1e-5
    )
    return plex


def test_a_shared_layer_is_tiled_at_the_input_with_a_warning():
    model = cases.make("shared_dense")
    with pytest.warns(UserWarning, match=WARNS):
        plex = neutral(model, last_blocks=1)
    assert plex.conversion.layout.tiled_inputs
    assert plans(plex) == {}


@pytest.fixture(scope="module")
def tiled_at_the_input():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return plexify(
            cases.make("shared_dense"), last_blocks=1, head="keep", seed=0
        )


def test_inputs_may_come_by_name_where_they_are_tiled(tiled_at_the_input):
    plex = tiled_at_the_input
    x = cases.examples(plex)
    np.testing.assert_array_equal(
        cases.to_numpy(plex(inputs=x)), cases.to_numpy(plex(x))
    )


def test_a_model_tiled_at_its_input_predicts(tiled_at_the_input):
    plex = tiled_at_the_input
    x = cases.examples(plex, 5)
    np.testing.assert_allclose(
        plex.predict(x, batch_size=2, verbose=0), plex(x), atol=1e-5
    )


def test_masks_reach_the_members():
    model = cases.make("masked")
    for last_blocks in (1, 2):
        plex = neutral(model, last_blocks=last_blocks)
        assert not plex.conversion.layout.tiled_inputs
    # The mask counts: words behind it change nothing.
    words = np.array([[1, 2, 0, 0, 0]], "int32")
    other = np.array([[1, 2, 0, 3, 0]], "int32")
    differ = np.abs(cases.to_numpy(plex(words)) - plex(other)).max()
    assert differ > 1e-3


def test_an_attention_mask_is_tiled_with_its_query():
    x = keras.Input((5, 4))
    seen = keras.Input((5, 5), dtype="int32")
    h = layers.MultiHeadAttention(2, 4, name="attention")(
        x, x, attention_mask=seen
    )
    h = layers.Dense(3, name="head")(layers.Flatten()(h))
    model = cases.with_random_weights(keras.Model([x, seen], h))
    assert plans_of(model, last_blocks=1) == {
        "attention": {"query", "value", "attention_mask"}
    }
    neutral(model, last_blocks=1)


def test_nothing_is_tiled_in_a_pass_of_the_stock_model():
    seen = []

    class Sees(layers.Layer):
        def call(self, inputs):
            seen.append(inputs.shape[0])
            return inputs

    inputs = keras.Input((4,))
    block, sees = layers.Dense(3), Sees()
    model = keras.Model(inputs, sees(block(inputs)))
    tile_where_needed(model, 3, [block])
    seen.clear()
    model(np.ones((2, 4)))
    with forward_pass.stock_pass():
        model(np.ones((2, 4)))
    assert seen == [6, 2]


def test_sequences_of_any_length_need_no_tiling_at_the_input():
    """A learned position embedding is sliced by the length."""
    inputs = keras.Input((None, 4))
    x = keras_hub.layers.PositionEmbedding(12)(inputs)
    block = layers.Dense(8, name="block")
    stock = keras.Model(inputs, block(inputs + x))
    layout = tile_where_needed(stock, 3, [block])
    assert layout == Layout(tiled_inputs=False, member_outputs=(True,))
    assert plans(stock) == {"block": {"inputs"}}
    assert stock(np.ones((2, 7, 4))).shape == (6, 7, 8)


def test_constants_are_not_tiled():
    x = keras.Input((5, 4))
    h = layers.Dense(4, name="dense")(x)
    table = np.ones((5, 4), "float32")
    h = ops.add(h, table)
    h = layers.Dense(3, name="head")(layers.Flatten()(h))
    model = cases.with_random_weights(keras.Model(x, h))
    assert plans_of(model, last_blocks=1) == {"dense": {"inputs"}}
    neutral(model, last_blocks=1)


def test_layers_inside_wrappers_have_members():
    x = keras.Input((5, 4))
    h = layers.TimeDistributed(layers.Dense(4, "relu"), name="steps")(x)
    h = layers.Dense(3, name="head")(layers.Flatten()(h))
    model = cases.with_random_weights(keras.Model(x, h))
    assert plans_of(model, last_blocks=1) == {"steps": {"inputs"}}
    neutral(model, last_blocks=1)


def test_convolutions_before_and_after_run_in_their_rows():
    x = keras.Input((4, 4, 2))
    h = layers.Conv2D(3, 2, name="before")(x)
    h = layers.Dense(3, "relu", name="dense")(h)
    h = layers.Conv2D(3, 2, name="after")(h)
    h = layers.Dense(3, name="head")(layers.Flatten()(h))
    model = cases.with_random_weights(keras.Model(x, h))
    assert plans_of(model, last_blocks=1) == {"dense": {"inputs"}}
    neutral(model, last_blocks=1)


# Models that compute one example from others.


def similarities():
    x = keras.Input((4,))
    h = layers.Dense(4, name="dense")(x)
    return x, h, ops.matmul(h, ops.transpose(h))


def test_a_model_that_compares_examples_is_refused():
    x, _, scores = similarities()
    model = keras.Model(x, scores, name="siamese")
    message = r"'siamese' compares the examples .*3027\) for 1009"
    with pytest.raises(MixedExamplesError, match=message):
        plexify(model, last_blocks=1, head="keep")


def test_a_model_that_attends_to_other_examples_is_refused():
    x, h, scores = similarities()
    h = ops.matmul(ops.softmax(scores), h)
    model = keras.Model(x, layers.Dense(3, name="head")(h))
    with pytest.raises(MixedExamplesError, match="compares the examples"):
        plexify(model, last_blocks=1, head="keep")


CENTERED = {
    "mean": lambda h: h - ops.mean(h, axis=0, keepdims=True),
    "first": lambda h: h - h[0],
    "softmax": lambda h: ops.softmax(h, axis=0),
}


@pytest.mark.parametrize("name", CENTERED)
def test_a_graph_that_computes_along_the_batch_is_refused(name):
    x = keras.Input((4,))
    h = CENTERED[name](layers.Dense(4, "relu", name="dense")(x))
    h = layers.Dense(4, name="after")(h)
    model = keras.Model(x, layers.Dense(3, name="head")(h), name="centered")
    message = "'centered' compares the examples .*runs along the batch axis"
    with pytest.raises(MixedExamplesError, match=message):
        plexify(model, layers=["dense"], head="keep")
    # Members begin after it: each sees what the stock model computes.
    assert plans_of(model, layers=["after"]) == {"after": {"inputs"}}


def test_members_of_all_inputs_are_not_mixed_either():
    x = keras.Input((4,))
    shared = layers.Dense(4, "relu", name="shared")
    h = shared(shared(x))
    h = layers.Dense(3, name="head")(h - ops.mean(h, axis=0, keepdims=True))
    model = keras.Model(x, h)
    with pytest.raises(MixedExamplesError, match="along the batch axis"):
        plexify(model, layers=["shared"], head="keep")


def test_statistics_of_a_batch_inside_a_layer_stay_allowed():
    x = keras.Input((4,))
    h = layers.Dense(4, "relu", name="dense")(x)
    h = layers.BatchNormalization()(h)
    model = keras.Model(x, layers.Dense(3, name="head")(h))
    assert plans_of(model, last_blocks=1) == {"dense": {"inputs"}}


def test_a_table_that_a_layer_makes_for_any_batch_stays_allowed():
    class Positions(layers.Layer):
        def call(self, inputs):
            self.add_loss(ops.mean(inputs))
            return ops.ones((1, inputs.shape[1], 1))

    x = keras.Input((5, 4))
    h = layers.Dense(4, name="dense")(x)
    h = layers.Flatten()(h + Positions()(h))
    model = cases.with_random_weights(
        keras.Model(x, layers.Dense(3, name="head")(h))
    )
    with keras.saving.custom_object_scope({"Positions": Positions}):
        assert plans_of(model, last_blocks=1) == {"dense": {"inputs"}}
        neutral(model, last_blocks=1)


def test_a_model_that_is_refused_stays_as_it_is():
    x, _, scores = similarities()
    model = keras.Model(x, scores)
    calls = keras.layers.Layer.__call__, keras.Operation.__call__
    with pytest.raises(MixedExamplesError):
        plexify(model, last_blocks=1, head="keep")
    assert calls == (keras.layers.Layer.__call__, keras.Operation.__call__)
    assert type(model) is keras.src.models.functional.Functional
    assert model(np.ones((2, 4))).shape == (2, 2)


# Parts.


def test_tensors_of_a_call_are_mapped_with_their_names():
    x = keras.Input((3,))
    add, _ = producer(layers.Add()([x, x]))
    seen = {}

    def note(name, tensor):
        seen[name] = tensor
        return tensor + 1

    a, b = np.zeros(2), np.ones(2)
    args, kwargs = map_tensors(add, ([a, b],), {"training": True}, note)
    assert set(seen) == {"inputs/0", "inputs/1"}
    assert [t.tolist() for t in args[0]] == [[1, 1], [2, 2]]
    assert kwargs == {"training": True}
    attention = layers.MultiHeadAttention(2, 4)
    seen.clear()
    map_tensors(attention, (a, b), {"attention_mask": None, "key": a}, note)
    assert set(seen) == {"query", "value", "key"}


def test_only_tensors_with_a_first_axis_are_batches():
    assert is_batched(np.zeros((2, 3)))
    assert is_batched(ops.zeros((2,)))
    for other in (np.zeros(()), ops.zeros(()), 3.0, None, keras.Input((2,))):
        assert not is_batched(other)


def test_the_warning_says_what_the_dry_run_said():
    with pytest.warns(UserWarning) as found:
        plexify(cases.make("shared_dense"), last_blocks=1, head="keep")
    (warning,) = [one for one in found if one.category is UserWarning]
    said = "'shared' is called more than once"
    assert re.search(said, str(warning.message))
    assert warning.filename == __file__


def test_members_of_a_block_that_albert_shares_need_every_call():
    model = text_models.albert()
    said = "'group_0_inner_layer_0' is called more than once"
    with pytest.warns(UserWarning, match=said):
        plex = plexify(model, last_blocks=2, head="keep")
    assert plex.conversion.layout.tiled_inputs


def test_albert_above_its_shared_block_is_tiled_there():
    plex = plexify(text_models.albert(), last_blocks=1, head="keep")
    assert not plex.conversion.layout.tiled_inputs
    assert [x.name for x in plex.conversion.converted] == ["pooled_dense"]
