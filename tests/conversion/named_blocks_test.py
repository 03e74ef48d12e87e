"""Convolutional models get members in their last residual blocks."""

import keras
import numpy as np
import pytest

from keras_plex import plexify
from keras_plex.conversion import forward_pass
from keras_plex.conversion.families import find_family
from keras_plex.conversion.named_blocks import find_named_blocks
from keras_plex.conversion.settings import Settings
from keras_plex.conversion.surgery import walk_layers
from keras_plex.layers.batch_ensemble_conv2d import BatchEnsembleConv2D
from tests import cases
from tests import vision_models


@pytest.fixture(scope="module")
def models():
    names = (
        "resnet",
        "resnet_bottleneck",
        "resnet_v2",
        "efficientnet",
        "efficientnet_v2",
        "efficientnet_fused",
    )
    return {name: getattr(vision_models, name)() for name in names}


def find(model, **arguments):
    family = find_family(model)
    return find_named_blocks(model, family.block_names, Settings(**arguments))


def run_members(plex, x):
    with forward_pass.returning(forward_pass.MEMBERS):
        rows = cases.to_numpy(plex(x))
    return rows.reshape(-1, len(x), *rows.shape[1:])


def names(sites):
    return [site.layer.name for site in sites]


@pytest.mark.parametrize(
    "name, convolutions",
    [
        ("resnet", ["1_conv", "2_conv"]),
        ("resnet_bottleneck", ["1_conv", "2_conv", "3_conv"]),
        ("resnet_v2", ["1_conv", "2_conv"]),
    ],
)
def test_a_residual_block_is_one_block(models, name, convolutions):
    found = names(find(models[name], last_blocks=1))
    assert found == [f"stack1_block1_{x}" for x in convolutions]
    two = names(find(models[name]))
    first = [f"stack1_block0_{x}" for x in ["0_conv", *convolutions]]
    assert sorted(two) == sorted(first + found)


def test_all_blocks_leave_the_stem_out(models):
    found = names(find(models["resnet"], last_blocks="all"))
    assert len(found) == 9  # 4 blocks of two, and one shortcut
    assert "conv1_conv" not in found
    with pytest.raises(ValueError, match="has 4 blocks"):
        find(models["resnet"], last_blocks=5)


@pytest.mark.parametrize(
    "name, expected",
    [
        ("efficientnet", ["expand_conv", "se_reduce", "se_expand", "project"]),
        (
            "efficientnet_v2",
            ["expand_conv", "se_reduce", "se_expand", "project_conv"],
        ),
        (
            "efficientnet_fused",
            ["expand_conv", "se_reduce", "se_expand", "project_conv"],
        ),
    ],
)
def test_depthwise_convolutions_stay_shared(models, name, expected):
    sites = find(models[name], last_blocks=1)
    assert names(sites) == [f"block3b_{x}" for x in expected]
    assert {type(site.layer) for site in sites} == {keras.layers.Conv2D}


@pytest.mark.parametrize("name", ["resnet", "efficientnet_v2"])
def test_the_default_gives_members_to_convolutions(models, name):
    model = cases.with_random_weights(models[name])
    plex = plexify(model, seed=0)
    converted = plex.conversion.converted
    assert all(isinstance(x, BatchEnsembleConv2D) for x in converted[:-1])
    assert converted[-1] is plex.output_dense
    depthwise = [
        layer
        for layer in walk_layers(plex)
        if isinstance(layer, keras.layers.DepthwiseConv2D)
    ]
    assert all(
        type(layer) is keras.layers.DepthwiseConv2D for layer in depthwise
    )
    assert len(depthwise) == (4 if name == "efficientnet_v2" else 0)
    members = run_members(plex, cases.examples(model))
    assert np.ptp(members, axis=0).max() > 1e-3


def test_the_trunk_runs_once(models):
    plex = plexify(models["resnet"], last_blocks=1, seed=0)
    rows = {}
    for layer in plex.backbone.layers:
        if isinstance(layer, keras.layers.Conv2D):
            rows[layer.name] = hasattr(layer, "tile_plan")
    assert rows["stack1_block1_1_conv"]  # tiles what reaches the last block
    assert plex.backbone.get_layer("stack1_block1_add").tile_plan
    assert sum(rows.values()) == 1


def test_patterns_still_choose_freely(models):
    plex = plexify(models["resnet"], layers=["conv1_conv"], head="keep")
    assert [x.name for x in plex.conversion.converted] == ["conv1_conv"]


def test_lora_on_convolutions_is_refused(models):
    model = models["resnet"]
    message = "is convolutional, and the method 'lora_ensemble' converts no"
    with pytest.raises(ValueError, match=message):
        plexify(model, method="lora_ensemble")
    message = "matches 'stack1_block1_1_conv', but the method 'lora_ensemble'"
    with pytest.raises(ValueError, match=message):
        plexify(model, method="lora_ensemble", layers=["stack1_block1_1_conv"])


def test_leaving_attention_out_is_refused(models):
    message = "`ensemble_attention=False`.*is convolutional and has none"
    with pytest.raises(ValueError, match=message):
        plexify(models["efficientnet"], ensemble_attention=False)


def test_batch_normalization_sees_all_members_and_stays_finite(models):
    model = cases.with_random_weights(models["resnet"])
    plex = plexify(model, seed=0, head="keep")
    x, y = cases.examples(model, 6), np.array([0, 1, 2, 0, 1, 2])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    plex.compile("adam", loss, run_eagerly=True)
    before = [np.array(w) for w in statistics(plex)]
    history = plex.fit(x, y, epochs=2, verbose=0).history
    assert np.isfinite(history["loss"]).all()
    after = [np.array(w) for w in statistics(plex)]
    assert all(np.isfinite(w).all() for w in after)
    assert all(
        not np.array_equal(old, new)
        for old, new in zip(before, after, strict=True)
    )
    # One set of statistics for all members, as many as the stock model has.
    assert len(after) == len(statistics(model))
    assert [w.shape for w in after] == [w.shape for w in statistics(model)]


def statistics(model):
    return [w for w in model.weights if w.name.startswith("moving_")]
