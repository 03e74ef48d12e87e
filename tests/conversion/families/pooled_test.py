"""Backbones without a task get the pooling that their papers use."""

import keras
import numpy as np
import pytest
from keras import tree

from keras_plex import plexify
from keras_plex.conversion.families import FAMILIES
from keras_plex.conversion.families import find_family
from keras_plex.conversion.families.pooled import POOLED
from tests import cases
from tests import vision_models


def token_and_patches(outputs):
    # A class token, one register token, four patches.
    return np.concatenate([outputs[:, 0], outputs[:, 2:].mean(1)], axis=-1)


def class_token(outputs):
    return outputs[:, 0]


EXPECTED = {
    "dinov2": token_and_patches,
    "dinov3": token_and_patches,
    "clip_vision": class_token,
    "metaclip_2_vision": class_token,
    "siglip_vision": lambda outputs: outputs,
    "vit_det": lambda outputs: outputs.mean((1, 2)),
    "keras_cv_vit_det": lambda outputs: outputs.mean((1, 2)),
}


@pytest.fixture(scope="module")
def backbones():
    return {
        name: cases.with_random_weights(getattr(vision_models, name)())
        for name in POOLED
    }


@pytest.mark.parametrize("name", POOLED)
def test_a_backbone_is_its_family(backbones, name):
    assert find_family(backbones[name]) is FAMILIES[name]
    assert FAMILIES[name].is_backbone(backbones[name])


@pytest.mark.parametrize("name", POOLED)
def test_the_head_reads_what_the_family_pools(backbones, name):
    backbone = backbones[name]
    model = FAMILIES[name].with_head(backbone, 4)
    x = cases.examples(backbone)
    tree.assert_same_structure(model.input, backbone.input)
    features = EXPECTED[name](cases.to_numpy(backbone(x)))
    kernel, bias = model.get_layer("predictions").get_weights()
    np.testing.assert_allclose(
        cases.to_numpy(model(x)), features @ kernel + bias, atol=1e-4
    )


@pytest.mark.parametrize("name", POOLED)
def test_a_backbone_without_classes_is_refused(backbones, name):
    message = "is a backbone without an output layer. Pass `num_classes=`"
    with pytest.raises(ValueError, match=message):
        plexify(backbones[name])


def test_an_intermediate_output_is_no_feature():
    backbone = vision_models.clip_vision(intermediate_output_index=1)
    model = FAMILIES["clip_vision"].with_head(backbone, 4)
    x = cases.examples(backbone)
    tokens = cases.to_numpy(backbone(x))["sequence_output"]
    kernel, bias = model.get_layer("predictions").get_weights()
    np.testing.assert_allclose(
        cases.to_numpy(model(x)), tokens[:, 0] @ kernel + bias, atol=1e-4
    )


def test_a_converted_backbone_classifies(backbones):
    plex = plexify(
        backbones["siglip_vision"], num_classes=4, last_blocks=1, seed=0
    )
    assert plex.name == f"{backbones['siglip_vision'].name}_classifier"
    assert tuple(plex(cases.examples(plex)).shape) == (4, 4)
    converted = [layer.path for layer in plex.conversion.converted]
    assert all("encoder_block_2" in path for path in converted[:-1])
    assert isinstance(plex, keras.Model)
