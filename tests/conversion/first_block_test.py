"""The block that a pass reaches first, in models of every kind."""

import keras
import pytest
from keras import ops

import keras_plex
from keras_plex.conversion.first_block import choose_first_block
from keras_plex.conversion.first_block import find_first_block
from keras_plex.conversion.heads import find_head
from keras_plex.conversion.traced_heads import RecordsCall
from keras_plex.conversion.traced_heads import trace_heads
from tests import cases
from tests import subclassed_models as subclassed

FIRST_AND_LAST = {"kernel_inputs": "first_and_last"}


def found_in(model):
    return find_first_block(model, find_head(model))


def test_it_is_the_first_of_a_vit():
    vit = cases.make("vit")
    layer, dim, *_ = found_in(vit)
    encoder = vit.backbone.get_layer("vit_encoder")
    assert layer is encoder.encoder_layers[0] and dim == 8
    assert not isinstance(layer, RecordsCall)


def test_it_is_in_the_encoder_of_a_t5():
    t5 = cases.make_family("t5_classifier")
    layer, dim, *_ = found_in(t5)
    assert layer is t5.backbone.encoder_transformer_layers[0] and dim == 8


def test_the_order_is_that_of_the_calls():
    inputs = keras.Input((4,))
    first, second = [cases.FeedForwardBlock() for _ in range(2)]
    second.build((None, 6))  # known to the model by its later call
    x = keras.layers.Dense(6)(inputs)
    x = keras.layers.Dense(3)(second(first(x)))
    model = keras.Model(inputs, x)
    assert found_in(model).layer is first


def test_a_subclassed_model_has_one():
    model = subclassed.make(subclassed.Blocks)
    (head,) = trace_heads(model)
    layer, dim, *_ = find_first_block(model, head)
    assert layer is model.blocks[0] and dim == 6


def chosen_by(model, head="gp", **options):
    plex = keras_plex.plexify(
        model, head=head, head_options={"num_features": 8, **options}
    )
    return plex.conversion.settings.head_options["kernel_inputs"]


@pytest.mark.parametrize("head", ["gp", "heteroscedastic_gp"])
@pytest.mark.parametrize("name", ["vit", "bert", "t5_classifier"])
def test_a_row_of_blocks_is_used_unless_told_otherwise(name, head):
    model = cases.make_family(name)
    assert chosen_by(model, head) == "first_and_last"
    assert chosen_by(model, head, kernel_inputs="last") == "last"


def test_a_head_that_does_not_correct_the_stock_one_compares_its_inputs():
    vit = cases.make("vit")
    assert chosen_by(vit, mean_function="zero") == "last"
    plex = keras_plex.plexify(vit, head_options={"kernel": "linear"})
    options = plex.conversion.settings.head_options
    assert options == {"kernel": "linear", "kernel_inputs": "last"}


def test_a_model_where_nothing_can_join_compares_the_last_features():
    assert chosen_by(cases.make("mlp")) == "last"
    assert chosen_by(cases.make_family("t5_seq2seq_lm")) == "last"


def test_other_heads_choose_nothing():
    vit = cases.make("vit")
    for head in ("laplace", "heteroscedastic", "keep"):
        plex = keras_plex.plexify(vit, head=head)
        assert plex.conversion.settings.head_options is None


def test_what_cannot_join_is_an_error_where_it_is_asked_for():
    stock = cases.make("mlp")
    head = find_head(stock)
    assert choose_first_block(stock, head, {}) is None
    with pytest.raises(ValueError, match="no row of equal blocks"):
        choose_first_block(stock, head, FIRST_AND_LAST)


@pytest.mark.parametrize("name", ["mlp", "residual_mlp"])
def test_a_model_without_blocks_is_refused(name):
    stock = cases.make(name)
    weights = [weight.path for weight in stock.weights]
    with pytest.raises(ValueError, match="no row of equal blocks"):
        keras_plex.plexify(stock, head_options=FIRST_AND_LAST)
    assert [weight.path for weight in stock.weights] == weights


def test_an_output_layer_on_tokens_is_refused():
    inputs = keras.Input((5, 6))
    x = cases.FeedForwardBlock()(inputs)
    x = cases.FeedForwardBlock()(x)
    model = keras.Model(inputs, keras.layers.Dense(3)(x))
    with pytest.raises(ValueError, match=r"\('batch', 5, 6\)"):
        keras_plex.plexify(model, head_options=FIRST_AND_LAST)


def test_blocks_of_several_tensors_are_refused():
    class Pair(cases.FeedForwardBlock):
        def build(self, input_shapes):
            super().build(input_shapes[0])

        def call(self, inputs):
            return super().call(inputs[0] + inputs[1])

    inputs = keras.Input((6,))
    x = Pair()([inputs, inputs])
    x = Pair()([x, inputs])
    model = keras.Model(inputs, keras.layers.Dense(3)(x))
    with pytest.raises(ValueError, match="takes no tensor of them"):
        find_first_block(model, find_head(model))


def row_of_blocks(x):
    for _ in range(2):
        x = cases.FeedForwardBlock()(x)
    return x


def refused(model):
    head = find_head(model)
    with pytest.raises(ValueError, match="takes an example in several parts"):
        find_first_block(model, head)
    assert choose_first_block(model, head, {}) is None


def test_frames_that_are_rows_of_the_batch_are_refused():
    inputs = keras.Input((4, 5, 6))
    frames = ops.reshape(inputs, (-1, 5, 6))
    x = ops.reshape(ops.mean(row_of_blocks(frames), 1), (-1, 4, 6))
    model = keras.Model(inputs, keras.layers.Dense(3)(ops.mean(x, 1)))
    refused(model)


def test_a_tower_that_is_called_twice_is_refused():
    tower_inputs = keras.Input((5, 6))
    tower = keras.Model(tower_inputs, row_of_blocks(tower_inputs))
    left, right = keras.Input((5, 6)), keras.Input((5, 6))
    x = ops.mean(tower(left) - tower(right), 1)
    refused(keras.Model([left, right], keras.layers.Dense(3)(x)))


def test_a_block_whose_weights_are_shared_is_the_first_by_its_first_call():
    inputs = keras.Input((5, 6))
    first, second = [cases.FeedForwardBlock() for _ in range(2)]
    x = first(second(first(inputs)))
    model = keras.Model(inputs, keras.layers.Dense(3)(ops.mean(x, 1)))
    assert found_in(model) == (first, 6, True, ())


def test_a_row_of_blocks_on_vectors_joins_only_where_it_is_asked_to():
    inputs = keras.Input((6,))
    x = row_of_blocks(inputs)
    model = keras.Model(inputs, keras.layers.Dense(3)(x))
    assert not found_in(model).takes_tokens
    assert chosen_by(model) == "last"
    assert chosen_by(model, kernel_inputs="first_and_last") == "first_and_last"


def test_a_language_model_is_refused():
    stock = cases.make_family("t5_seq2seq_lm")
    with pytest.raises(ValueError, match="no row of equal blocks|takes more"):
        keras_plex.plexify(stock, head="gp", head_options=FIRST_AND_LAST)
