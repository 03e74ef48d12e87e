"""DeiT: its class token is enough in the last block, exactly."""

import dataclasses

import keras_hub
import numpy as np
import pytest

from keras_plex import plexify
from keras_plex.conversion import forward_pass
from keras_plex.conversion.families import FAMILIES
from keras_plex.conversion.families import find_family
from keras_plex.conversion.surgery import intercept_calls
from tests import cases
from tests import vision_models


@pytest.fixture(scope="module")
def plex_and_images():
    model = cases.with_random_weights(vision_models.deit())
    return plexify(model, head="keep", seed=0), cases.examples(model, 5)


def test_both_classes_are_the_family():
    model = vision_models.deit()
    assert find_family(model) is FAMILIES["deit"]
    assert find_family(model.backbone) is FAMILIES["deit"]
    assert FAMILIES["deit"].is_backbone(model.backbone)
    assert not FAMILIES["deit"].is_backbone(model)


def test_the_shortcut_is_exact(plex_and_images):
    plex, x = plex_and_images
    conversion = plex.conversion
    found = []
    for is_on in (True, False):
        plex._plex.conversion = dataclasses.replace(
            conversion, class_token_only=is_on
        )
        with forward_pass.returning(forward_pass.MEMBERS):
            found.append(cases.to_numpy(plex(x)))
    plex._plex.conversion = conversion
    assert np.ptp(found[0].reshape(3, 5, 3), axis=0).max() > 1e-3
    np.testing.assert_allclose(*found, atol=1e-6)


def test_the_last_block_sees_one_token_of_each_image(plex_and_images):
    plex, x = plex_and_images
    shapes = []

    def note(operation, args, kwargs):
        if operation.name == "mlp":
            shapes.append(tuple(args[0].shape))
        return args, kwargs

    with intercept_calls(note):
        plex(x)
    # Four patches, class and distillation token; 5 images, 3 members.
    assert shapes == [(5, 6, 8), (15, 6, 8), (15, 1, 8)]


def test_a_backbone_gets_a_head_on_its_class_token():
    backbone = vision_models.deit_backbone()
    plex = plexify(backbone, num_classes=4, last_blocks=1, head="keep")
    assert isinstance(plex, keras_hub.models.DeiTImageClassifier)
    assert (plex.num_classes, plex.pooling) == (4, "token")
    assert plex.conversion.class_token_only
