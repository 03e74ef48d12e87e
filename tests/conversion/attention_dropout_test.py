"""Members' attention: two masks where the stock layer has one."""

import keras
import keras_hub
import numpy as np
import pytest
from keras import ops

import keras_plex
from keras_plex.conversion.attention_dropout import TwoMasks
from keras_plex.conversion.surgery import add_mixin
from keras_plex.conversion.surgery import walk_layers
from tests import cases


def two_masks(rate, **arguments):
    layer = keras.layers.Dropout(rate, seed=0, **arguments)
    add_mixin(layer, TwoMasks)
    return layer


def bert(dropout):
    backbone = keras_hub.models.BertBackbone(
        vocabulary_size=11,
        num_layers=3,
        num_heads=2,
        hidden_dim=8,
        intermediate_dim=8,
        dropout=dropout,
        max_sequence_length=6,
    )
    return keras_hub.models.BertTextClassifier(backbone, num_classes=3)


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_it_keeps_and_scales_as_the_stock_layer(rate):
    count = 100_000
    found = cases.to_numpy(two_masks(rate)(ops.ones((count,)), training=True))
    kept = found[found != 0]
    np.testing.assert_allclose(kept, 1 / (1 - rate), rtol=1e-6)
    deviation = np.sqrt(rate * (1 - rate) / count)
    assert abs(len(kept) / count - (1 - rate)) < 5 * deviation


def test_each_call_draws_anew():
    layer = two_masks(0.5)
    one, other = (
        cases.to_numpy(layer(ops.ones((100,)), training=True)) for _ in "ab"
    )
    assert (one != other).any()


def test_the_shape_of_the_noise_counts():
    layer = two_masks(0.5, noise_shape=(None, 1))
    found = cases.to_numpy(layer(ops.ones((200, 3)), training=True))
    assert (found == found[:, :1]).all()
    assert 0 < np.mean(found == 0) < 1


def test_at_inference_nothing_is_dropped():
    x = np.arange(5.0, dtype="float32")
    np.testing.assert_array_equal(cases.to_numpy(two_masks(0.5)(x)), x)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"last_blocks": 2}, {"transformer_layer_1", "transformer_layer_2"}),
        ({"last_blocks": 1}, {"transformer_layer_2"}),
        ({"ensemble_size": 1}, set()),
        ({"last_blocks": 0, "ensemble_size": 1, "head": "gp"}, set()),
    ],
)
def test_it_is_the_attention_of_the_members_blocks(arguments, expected):
    model = keras_plex.plexify(bert(0.1), seed=0, **arguments)
    found = {
        block.name: [x for x in walk_layers(block) if isinstance(x, TwoMasks)]
        for block in model.backbone.layers
    }
    assert {name for name, layers in found.items() if layers} == expected
    assert all(len(layers) <= 1 for layers in found.values())  # not the others


def test_attention_at_one_row_per_example_keeps_its_one_mask():
    backbone = keras_hub.models.T5Backbone(11, 2, 2, 8, 8, dropout=0.1)
    stock = keras_hub.models.T5Seq2SeqLM(backbone)
    for attention, expected in ((False, 0), (True, 2)):
        model = keras_plex.plexify(
            stock, last_blocks=1, ensemble_attention=attention, seed=0
        )
        found = [x for x in walk_layers(model) if isinstance(x, TwoMasks)]
        assert len(found) == expected


def test_without_dropout_nothing_changes():
    model = keras_plex.plexify(bert(0.0), seed=0)
    assert not any(isinstance(x, TwoMasks) for x in walk_layers(model))


def test_a_loaded_model_draws_in_pairs_too(tmp_path):
    model = keras_plex.plexify(bert(0.1), seed=0)
    path = tmp_path / "model.keras"
    model.save(path)
    loaded = keras.saving.load_model(path)
    count = sum(isinstance(x, TwoMasks) for x in walk_layers(loaded))
    assert count == 2
