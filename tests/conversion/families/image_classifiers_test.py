"""KerasHub's image classifiers are told, and their backbones get a head."""

import keras_hub
import numpy as np
import pytest
from keras import ops

from keras_plex import plexify
from keras_plex.conversion.families import FAMILIES
from keras_plex.conversion.families import find_family
from keras_plex.conversion.families.image_classifiers import IMAGE_CLASSIFIERS
from tests import cases
from tests import vision_models

# Swin calls its argument of window masks `mask`, and Keras warns of it.
pytestmark = pytest.mark.filterwarnings("ignore:Layer 'attn'")

TASKS = {
    "resnet": keras_hub.models.ResNetImageClassifier,
    "efficientnet": keras_hub.models.EfficientNetImageClassifier,
    "swin_transformer": keras_hub.models.SwinTransformerImageClassifier,
    "mit": keras_hub.models.MiTImageClassifier,
}


@pytest.fixture(scope="module")
def backbones():
    return {
        name: getattr(vision_models, f"{name}_backbone")() for name in TASKS
    }


@pytest.mark.parametrize("name", IMAGE_CLASSIFIERS)
def test_a_backbone_and_its_task_are_the_family(backbones, name):
    family = FAMILIES[name]
    task = TASKS[name](backbones[name], 3)
    assert find_family(task) is find_family(backbones[name]) is family
    assert family.is_backbone(backbones[name])
    assert not family.is_backbone(task)


def test_the_general_task_counts_too(backbones):
    task = keras_hub.models.ImageClassifier(backbones["resnet"], 3)
    assert find_family(task) is FAMILIES["resnet"]


@pytest.mark.parametrize("name", IMAGE_CLASSIFIERS)
def test_a_backbone_gets_its_task(backbones, name):
    with pytest.raises(ValueError, match="Pass `num_classes=`"):
        plexify(backbones[name])
    task = FAMILIES[name].with_head(backbones[name], 4)
    assert type(task) is TASKS[name]
    assert task.num_classes == 4
    assert task.backbone is backbones[name]


@pytest.mark.parametrize("name", ["resnet", "swin_transformer"])
def test_members_start_as_the_stock_model(name):
    model = cases.with_random_weights(getattr(vision_models, name)())
    x = cases.examples(model)
    options = {"num_features": 8}
    plex = plexify(
        model, last_blocks=1, fast_weight_stddev=0.0, head_options=options
    )
    assert not plex.conversion.layout.tiled_inputs
    np.testing.assert_allclose(
        cases.to_numpy(ops.softmax(plex(x))),
        cases.to_numpy(ops.softmax(model(x))),
        atol=1e-5,
    )


@pytest.mark.parametrize(
    "arguments, what",
    [
        ({"num_features": 16}, "has other weights"),
        ({"stackwise_nores_option": [True] * 3}, "has nores=True"),
    ],
)
def test_what_a_configuration_leaves_out_is_named(arguments, what):
    model = vision_models.efficientnet("unfused", **arguments)
    message = (
        f"{what}.*'EfficientNetBackbone' leaves out "
        "stackwise_nores_option, data_format, num_features"
    )
    with pytest.raises(ValueError, match=message):
        plexify(model)
