"""A family is told by class names, without importing its package."""

import keras
import keras_hub
import pytest

from keras_plex.conversion.families import FAMILIES
from keras_plex.conversion.families import find_family
from keras_plex.conversion.families.family import has_ancestor
from tests import cases


class MyClassifier(keras_hub.models.ViTImageClassifier):
    """A class of a user's own."""


class ViTBackbone(keras.Sequential):
    """No KerasHub model, whatever its name."""


def test_an_ancestor_is_told_by_name_and_package():
    model = cases.vit(2)
    assert has_ancestor(model, "keras_hub", "ViTImageClassifier")
    assert has_ancestor(model, "keras_hub", "Task")
    assert has_ancestor(model, "keras", "Model")
    assert not has_ancestor(model, "keras", "ViTImageClassifier")
    assert not has_ancestor(model, "keras_hub", "ViTBackbone")


def test_an_heir_belongs_to_the_family():
    model = MyClassifier(cases.vit_backbone(2), num_classes=3)
    assert find_family(model) is FAMILIES["vit"]


@pytest.mark.parametrize("name", ["mlp", "transformer", "custom_blocks"])
def test_other_models_have_no_family(name):
    assert find_family(cases.MODELS[name]()) is None


def test_a_name_alone_makes_no_family():
    assert find_family(ViTBackbone([keras.Input((4,))])) is None


def test_a_wrapped_backbone_is_no_family_of_its_own():
    backbone = cases.vit_backbone(2)
    assert find_family(backbone) is FAMILIES["vit"]
    wrapped = keras.Model(backbone.input, backbone.output)
    assert find_family(wrapped) is None
