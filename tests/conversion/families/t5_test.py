"""Members in T5's feed-forward parts alone leave attention at one row each."""

import dataclasses

import keras
import numpy as np
import pytest
from keras import ops

from keras_plex.conversion import families
from keras_plex.conversion import forward_pass
from keras_plex.conversion.copying import copy_model
from keras_plex.conversion.copying import serialize_stock
from keras_plex.conversion.families import t5
from keras_plex.conversion.settings import Settings
from keras_plex.conversion.surgery import intercept_calls
from keras_plex.models.plex_model import adopt
from keras_plex.ops.ensemble_axis import split_members
from keras_plex.ops.ensemble_axis import tile_members
from tests import cases
from tests.t5_models import t5_backbone

BATCH, MEMBERS = 4, 3


def stock_backbone(num_layers=2, **arguments):
    keras.utils.set_random_seed(0)
    return cases.with_random_weights(t5_backbone(num_layers, **arguments))


def converted(num_layers=2, use_gated_activation=True, dropout=0.0, **settings):
    """A converted backbone, and words for it."""
    stock = stock_backbone(
        num_layers,
        use_gated_activation=use_gated_activation,
        dropout=dropout,
    )
    arguments = {"ensemble_attention": False, "last_blocks": 1, **settings}
    if "layers" in settings:
        arguments = settings
    settings = Settings(
        **{"fast_weight_stddev": 0.5, "seed": 0, "head": "keep", **arguments}
    )
    plex = adopt(copy_model(stock), serialize_stock(stock), settings)
    return plex, cases.examples(stock, BATCH)


def tiling_at_arguments(monkeypatch):
    family = dataclasses.replace(t5.FAMILY, tiles_inside=lambda sites: {})
    monkeypatch.setitem(families.FAMILIES, "t5", family)


def members_of(plex, x, **arguments):
    with forward_pass.returning(forward_pass.MEMBERS):
        return plex(x, **arguments)


def by_member(rows):
    """`(ensemble, batch, length, dim)`."""
    return cases.to_numpy(split_members(rows, MEMBERS))


CHOICES = [
    {"num_layers": 1},
    {"num_layers": 1, "use_gated_activation": False},
    {"last_blocks": "all"},
    {"num_layers": 1, "method": "lora_ensemble", "fast_weight_stddev": None},
    {"layers": ["encoder_layer_1/(in|out)put_projector"]},
    {"layers": ["decoder_layer_0/gate_projector", "decoder_layer_1"]},
]


@pytest.mark.parametrize("choice", CHOICES, ids=str)
def test_members_are_those_of_tiled_arguments(choice, monkeypatch):
    plex, x = converted(**choice)
    assert any(
        isinstance(layer, t5.FeedForwardMembers)
        for layer in plex.encoder_transformer_layers
        + plex.decoder_transformer_layers
    )
    tiling_at_arguments(monkeypatch)
    other, _ = converted(**choice)
    if choice.get("method") == "lora_ensemble":
        cases.with_random_weights(plex), cases.with_random_weights(other)
    for one, two in zip(plex.weights, other.weights, strict=True):
        np.testing.assert_array_equal(one, two)
    ours, theirs = members_of(plex, x), members_of(other, x)
    assert set(ours) == set(theirs)
    # Rounding grows through the three layers after the first.
    atol = 5e-6 if choice.get("last_blocks") == "all" else 1e-6
    for name, rows in theirs.items():
        np.testing.assert_allclose(ours[name], rows, atol=atol, rtol=1e-6)
    one, two, _ = by_member(ours["decoder_sequence_output"])
    assert np.abs(one - two).max() > 0.01


def test_gradients_are_those_of_tiled_arguments(monkeypatch):
    import tensorflow as tf

    def gradients():
        plex, x = converted()
        with tf.GradientTape() as tape:
            members = members_of(plex, x)["decoder_sequence_output"]
            loss = ops.mean(ops.square(members - 1.0))
        weights = [weight.value for weight in plex.trainable_weights]
        return [
            None if gradient is None else tf.convert_to_tensor(gradient)
            for gradient in tape.gradient(loss, weights)
        ]

    ours = gradients()
    tiling_at_arguments(monkeypatch)
    theirs = gradients()
    assert sum(gradient is not None for gradient in ours) > 40
    for one, two in zip(ours, theirs, strict=True):
        if one is None or two is None:
            assert one is two
        else:
            np.testing.assert_allclose(one, two, atol=1e-6, rtol=1e-4)


def rows_seen(plex, x):
    """What enters the parts of each layer, in order of the calls."""
    rows = []
    names = ("self_attention", "cross_attention", "input_projector")

    def note(operation, args, kwargs):
        if operation.name in names:
            rows.append((operation.name, args[0].shape[0]))
        return args, kwargs

    with intercept_calls(note):
        plex(x)
    return rows


def test_attention_runs_once_per_example():
    plex, x = converted()
    encoder = [("self_attention", BATCH), ("input_projector", BATCH)]
    decoder = [("self_attention", BATCH), ("cross_attention", BATCH)]
    assert rows_seen(plex, x) == [
        *encoder * 2,
        *decoder,
        ("input_projector", BATCH),
        *decoder,
        ("input_projector", MEMBERS * BATCH),
    ]


def test_the_layers_after_the_first_get_members_rows():
    plex, x = converted(last_blocks=2)
    rows = [count for _, count in rows_seen(plex, x)[4:]]
    assert rows == [BATCH] * 2 + [MEMBERS * BATCH] * 4


def test_a_call_with_caches_keeps_them_at_one_row_per_example():
    plex, x = converted()
    layer = plex.decoder_transformer_layers[-1]
    generator = np.random.default_rng(0)

    def draw(*shape):
        return generator.normal(size=shape).astype("float32")

    hidden, encoded = draw(BATCH, 1, 8), draw(BATCH, 5, 8)
    padding = np.ones((BATCH, 1, 5), "int32")
    padding[0, :, 3:] = 0
    caches = draw(BATCH, 2, 6, 2, 4), draw(BATCH, 2, 5, 2, 4)
    bias = draw(BATCH, 2, 1, 6)

    def call(layer, tile):
        return layer(
            tile(hidden),
            None,
            tile(bias),
            tile(encoded),
            encoder_attention_mask=tile(padding),
            use_causal_mask=True,
            self_attention_cache=tile(caches[0]),
            self_attention_cache_update_index=2,
            cross_attention_cache=tile(caches[1]),
            cross_attention_cache_update_index=None,
        )

    ours = call(layer, lambda x: x)
    with forward_pass.stock_pass():
        theirs = call(layer, lambda x: tile_members(x, MEMBERS))
    assert len(ours) == len(theirs) == 4
    np.testing.assert_allclose(ours[0], theirs[0], atol=1e-6, rtol=1e-6)
    for one, two in zip(ours[1:], theirs[1:], strict=True):
        assert one.shape[0] == BATCH
        np.testing.assert_allclose(one, two[:BATCH], atol=1e-6, rtol=1e-6)


def test_a_causal_mask_with_a_cache_is_that_of_the_stock_layer():
    plex, _ = converted(
        layers=["decoder_layer_0/.*(input|gate)_proj"], fast_weight_stddev=0.0
    )
    generator = np.random.default_rng(0)
    hidden = generator.normal(size=(BATCH, 2, 8)).astype("float32")
    arguments = {
        "encoder_hidden_states": hidden,
        "attention_mask": np.eye(BATCH, 6, dtype="int32")[:, None] == 0,
        "use_causal_mask": True,
        "self_attention_cache": np.zeros((BATCH, 2, 6, 2, 4), "float32"),
        "self_attention_cache_update_index": 1,
    }
    ours = plex.decoder_transformer_layers[0](hidden, **arguments)
    theirs = stock_backbone().decoder_transformer_layers[0](hidden, **arguments)
    theirs = [tile_members(theirs[0], MEMBERS), *theirs[1:]]
    for one, two in zip(ours[:3], theirs[:3], strict=True):
        np.testing.assert_allclose(one, two, atol=1e-6, rtol=1e-6)
    assert ours[3] is None and theirs[3] is None


def test_a_stock_pass_tiles_nothing():
    plex, x = converted(ensemble_size=1)
    plex_3, _ = converted(fast_weight_stddev=0.0)
    layer = plex_3.decoder_transformer_layers[-1]
    rows = np.ones((MEMBERS * BATCH, 2, 8), "float32")
    with forward_pass.stock_pass():
        outputs, _ = layer(rows, encoder_hidden_states=rows)
    assert outputs.shape[0] == MEMBERS * BATCH
    few = rows[:BATCH]
    outputs, _ = layer(few, encoder_hidden_states=few)
    assert outputs.shape[0] == MEMBERS * BATCH
    one = plex.decoder_transformer_layers[-1]
    assert not isinstance(one, t5.FeedForwardMembers)
    assert members_of(plex, x)["decoder_sequence_output"].shape[0] == BATCH


def test_dropout_differs_between_members_in_training():
    plex, x = converted(fast_weight_stddev=0.0, dropout=0.5)
    name = "decoder_sequence_output"
    one, two, _ = by_member(members_of(plex, x, training=True)[name])
    assert np.abs(one - two).max() > 0.01
    one, two, _ = by_member(members_of(plex, x, training=False)[name])
    np.testing.assert_allclose(one, two, atol=1e-6, rtol=1e-6)


def test_rows_that_come_tiled_are_left_alone(monkeypatch):
    def fails(*args):
        raise RuntimeError("no dry run")

    monkeypatch.setattr("keras_plex.conversion.tiling.run_dry_as_known", fails)
    with pytest.warns(UserWarning, match="runs once per member"):
        plex, x = converted(fast_weight_stddev=0.0)
    found = members_of(plex, x)["decoder_sequence_output"]
    stock = stock_backbone()(x)["decoder_sequence_output"]
    for member in by_member(found):
        np.testing.assert_allclose(member, stock, atol=1e-5)


@pytest.mark.parametrize(
    "settings",
    [
        {"ensemble_attention": True},
        {"layers": ["decoder_layer_1/(input_projector|cross_attention)"]},
    ],
)
def test_members_in_attention_get_rows_of_their_own(settings):
    plex, x = converted(**settings)
    layer = plex.decoder_transformer_layers[-1]
    assert not isinstance(layer, t5.FeedForwardMembers)
    assert rows_seen(plex, x)[-1] == ("input_projector", MEMBERS * BATCH)
    assert rows_seen(plex, x)[-2] == ("cross_attention", MEMBERS * BATCH)


def test_members_are_told_from_other_models():
    backbone = t5_backbone(1)
    assert t5.is_member(backbone) and t5.is_backbone(backbone)
    assert not t5.is_member(cases.vit(1)) and not t5.is_member(cases.mlp())
    dense = keras.layers.Dense(3)(backbone.outputs[1])
    assert not t5.is_member(keras.Model(backbone.input, dense))
