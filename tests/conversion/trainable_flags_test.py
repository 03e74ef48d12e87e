"""Which weights learn is written down; all but some can be frozen."""

import json

from keras_plex.conversion.surgery import walk_layers
from keras_plex.conversion.trainable_flags import flags_of
from keras_plex.conversion.trainable_flags import set_flags
from keras_plex.conversion.trainable_flags import train_only
from tests import cases


def trained(model):
    return [w.path for w in model.trainable_weights]


def test_flags_of_inner_layers_and_weights_come_back():
    model, other = cases.make("custom_blocks"), cases.make("custom_blocks")
    model.get_layer("block_1").trainable = False
    model.get_layer("block_2").down.trainable = False
    model.get_layer("embed").kernel.trainable = False
    flags = json.loads(json.dumps(flags_of(model)))
    assert trained(other) != trained(model)
    set_flags(other, flags)
    assert trained(other) == trained(model)
    assert [x.trainable for x in walk_layers(other) if x.weights] == [
        x.trainable for x in walk_layers(model) if x.weights
    ]


def test_a_frozen_model_comes_back_frozen():
    model, other = cases.make("mlp"), cases.make("mlp")
    model.trainable = False
    set_flags(other, flags_of(model))
    assert not other.trainable and trained(other) == []


def test_only_the_wanted_weights_learn_however_frozen_it_was():
    model = cases.make("vit")
    model.trainable = False
    wanted = [w for w in model.weights if "block_2" in w.path][::3]
    assert wanted
    train_only(model, wanted)
    assert trained(model) == [w.path for w in wanted]
    ids = {id(weight) for weight in wanted}
    assert all(w.trainable == (id(w) in ids) for w in model.weights)
