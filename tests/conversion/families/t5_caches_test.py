"""T5 attention with caches by heads is that with KerasHub's caches."""

import keras
import keras_hub
import numpy as np
import pytest
from keras import ops

from keras_plex.conversion import families
from keras_plex.conversion.families.t5_caches import AttendsByHeads
from keras_plex.conversion.families.t5_caches import TakesCachesByHeads
from keras_plex.conversion.families.t5_caches import keep_caches_by_heads
from keras_plex.conversion.surgery import add_mixin
from tests import cases
from tests import seq2seq_models

BATCH, HEADS, DIM, WIDTH = 2, 2, 4, 8
SOURCE, LENGTH = 5, 6


def to_heads(cache):
    """`(batch, 2, length, heads, dim)` to keys and values by heads."""
    cache = ops.convert_to_tensor(cache)
    return tuple(ops.swapaxes(cache[:, i], 1, 2) for i in range(2))


def assert_equal_caches(by_heads, stock, **tolerance):
    assert isinstance(by_heads, tuple)
    for found, expected in zip(by_heads, to_heads(stock), strict=True):
        np.testing.assert_allclose(
            cases.to_numpy(found), cases.to_numpy(expected), **tolerance
        )


def decoder_layers():
    """One that takes KerasHub's caches alone, one with equal weights."""
    keras.utils.set_random_seed(0)
    backbones = [
        keras_hub.models.T5Backbone(
            vocabulary_size=5,
            num_layers=1,
            num_heads=HEADS,
            hidden_dim=WIDTH,
            intermediate_dim=8,
            key_value_dim=DIM,
            dropout=0.0,
        )
        for _ in "ab"
    ]
    layers = [model.decoder_transformer_layers[0] for model in backbones]
    for one, other in zip(*(layer.variables for layer in layers), strict=True):
        values = keras.random.normal(one.shape, seed=len(one.path))
        one.assign(values)
        other.assign(values)
    stock, ours = layers
    add_mixin(ours, TakesCachesByHeads)
    for attention in (ours.self_attention, ours.cross_attention):
        add_mixin(attention, AttendsByHeads)
    return stock, ours


def cross_attention(dtype):
    stock, _ = decoder_layers()
    attention = type(stock.cross_attention)(
        is_decoder=True,
        hidden_dim=WIDTH,
        key_value_dim=DIM,
        num_heads=HEADS,
        dropout=0.0,
        dtype=dtype,
    )
    attention(ops.ones((1, 2, WIDTH)))
    attention.supports_masking = True  # or Keras warns of each mask
    add_mixin(attention, AttendsByHeads)
    return attention


def draw(*shape, seed=0):
    values = np.random.default_rng(seed).normal(size=shape)
    return ops.convert_to_tensor(values.astype("float32"))


def padding_mask():
    mask = np.ones((BATCH, 1, SOURCE), "int32")
    mask[0, :, 3:] = 0
    return mask


@pytest.mark.parametrize("tokens", [1, 3])
@pytest.mark.parametrize("cross_index", [None, 0])
def test_a_layer_gives_what_it_gives_with_stock_caches(tokens, cross_index):
    stock, ours = decoder_layers()
    own = draw(BATCH, 2, LENGTH, HEADS, DIM, seed=1)
    cross = draw(BATCH, 2, SOURCE, HEADS, DIM, seed=2)
    encoded = None if cross_index is None else draw(BATCH, SOURCE, WIDTH)

    def call(layer, form):
        return layer(
            draw(BATCH, tokens, WIDTH, seed=3),
            encoder_hidden_states=encoded,
            encoder_attention_mask=padding_mask(),
            use_causal_mask=True,
            self_attention_cache=form(own),
            self_attention_cache_update_index=2,
            cross_attention_cache=form(cross),
            cross_attention_cache_update_index=cross_index,
        )

    x, bias, own_by_heads, cross_by_heads = call(ours, to_heads)
    expected = call(stock, lambda cache: cache)
    near = {"atol": 1e-5, "rtol": 1e-5}
    for found, other in zip((x, bias), expected[:2], strict=True):
        assert found.shape == other.shape
        np.testing.assert_allclose(
            cases.to_numpy(found), cases.to_numpy(other), **near
        )
    assert_equal_caches(own_by_heads, expected[2], **near)
    assert_equal_caches(cross_by_heads, expected[3], **near)


def test_a_bias_from_the_layer_before_is_taken_as_it_is():
    stock, ours = decoder_layers()
    own = draw(BATCH, 2, LENGTH, HEADS, DIM, seed=1)
    x, bias = draw(BATCH, 1, WIDTH), draw(BATCH, HEADS, 1, LENGTH, seed=2)

    def call(layer, cache):
        return layer.self_attention(
            x, position_bias=bias, cache=cache, cache_update_index=4
        )

    found, same, _ = call(ours, to_heads(own))
    expected, *_ = call(stock, own)
    assert same is bias
    np.testing.assert_allclose(
        cases.to_numpy(found), cases.to_numpy(expected), atol=1e-5
    )


def test_stock_caches_and_none_are_served_as_before():
    stock, ours = decoder_layers()
    x, encoded = draw(BATCH, 3, WIDTH), draw(BATCH, SOURCE, WIDTH, seed=1)
    own = draw(BATCH, 2, LENGTH, HEADS, DIM, seed=1)
    cross = draw(BATCH, 2, SOURCE, HEADS, DIM, seed=2)
    for arguments in (
        {},
        {
            "self_attention_cache": own,
            "self_attention_cache_update_index": 1,
            "cross_attention_cache": cross,
        },
    ):
        found, expected = (
            layer(
                x,
                encoder_hidden_states=encoded,
                use_causal_mask=True,
                **arguments,
            )
            for layer in (ours, stock)
        )
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_array_equal(
                cases.to_numpy(one), cases.to_numpy(other)
            )


@pytest.mark.parametrize("dtype", ["mixed_bfloat16", "mixed_float16"])
def test_padding_and_precision_leave_finite_numbers(dtype):
    attention = cross_attention(dtype)
    cache = to_heads(draw(BATCH, 2, SOURCE, HEADS, DIM))
    cache = tuple(ops.cast(one, attention.compute_dtype) for one in cache)
    x = draw(BATCH, 1, WIDTH, seed=1)
    seen = attention(x, mask=padding_mask(), cache=cache)[0]
    # What the first text hides has no influence.
    hidden = np.zeros((BATCH, 1, SOURCE, 1))
    hidden[0, :, 3:] = 5.0
    other = tuple(one + ops.cast(hidden, one.dtype) for one in cache)
    again = attention(x, mask=padding_mask(), cache=other)[0]
    assert np.isfinite(cases.to_numpy(ops.cast(seen, "float32"))).all()
    np.testing.assert_array_equal(
        cases.to_numpy(ops.cast(again, "float32")),
        cases.to_numpy(ops.cast(seen, "float32")),
    )


def test_only_language_models_keep_caches_by_heads():
    language_model = seq2seq_models.t5_seq2seq_lm()
    backbone = language_model.backbone
    for model in (backbone, language_model):
        keep_caches_by_heads(model)
        by_heads = [
            isinstance(layer, TakesCachesByHeads)
            and isinstance(layer.self_attention, AttendsByHeads)
            and isinstance(layer.cross_attention, AttendsByHeads)
            for layer in backbone.decoder_transformer_layers
        ]
        assert by_heads == [model is language_model] * len(by_heads)


def test_the_family_of_t5_asks_for_it():
    model = seq2seq_models.t5_seq2seq_lm()
    family = families.find_family(model)
    assert family.prepare(model, []) is False
    [first, *_] = model.backbone.decoder_transformer_layers
    assert isinstance(first, TakesCachesByHeads)
