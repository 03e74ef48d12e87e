"""Any backbone of KerasHub gets KerasHub's classifier, or a pooled head."""

import keras
import keras_hub
import numpy as np
import pytest

from keras_plex import plexify
from keras_plex.conversion.families import FAMILIES
from keras_plex.conversion.families import find_family
from keras_plex.conversion.families import keras_hub as family
from tests import cases
from tests import text_models

BACKBONES = {
    "BertTextClassifier": text_models.bert_backbone,
    "RobertaTextClassifier": lambda: text_models.roberta().backbone,
    "XLMRobertaTextClassifier": lambda: text_models.xlm_roberta().backbone,
    "DistilBertTextClassifier": lambda: text_models.distil_bert().backbone,
    "DebertaV3TextClassifier": lambda: text_models.deberta_v3().backbone,
    "AlbertTextClassifier": lambda: text_models.albert().backbone,
    "FNetTextClassifier": lambda: text_models.f_net().backbone,
    "RoformerV2TextClassifier": lambda: text_models.roformer_v2().backbone,
}


@pytest.mark.parametrize("name", BACKBONES)
def test_a_backbone_gets_its_most_specific_classifier(name):
    task = getattr(keras_hub.models, name)
    assert family.classifier_class(BACKBONES[name]()) is task


def test_the_classifier_is_built_around_the_backbone():
    backbone = text_models.bert_backbone()
    model = family.with_head(backbone, 5)
    assert type(model) is keras_hub.models.BertTextClassifier
    assert model.backbone is backbone and model.num_classes == 5


def test_a_backbone_with_num_classes_is_a_converted_classifier():
    backbone = cases.with_random_weights(text_models.bert_backbone())
    plex = plexify(
        backbone, num_classes=5, last_blocks=1, fast_weight_stddev=0.0
    )
    assert isinstance(plex, keras_hub.models.BertTextClassifier)
    x = cases.examples(backbone)
    assert plex(x).shape == (4, 5)
    ours = plex.backbone(x)["sequence_output"]
    theirs = cases.to_numpy(backbone(x)["sequence_output"])
    np.testing.assert_allclose(ours, np.tile(theirs, (3, 1, 1)), atol=1e-5)


@pytest.mark.parametrize("name", ["bert_backbone", "gpt2_backbone"])
def test_a_backbone_without_num_classes_says_so(name):
    backbone = getattr(text_models, name)()
    with pytest.raises(ValueError, match="is a backbone.*num_classes="):
        plexify(backbone)


def test_electra_has_no_classifier_and_keeps_its_pooled_output():
    backbone = cases.with_random_weights(text_models.electra_backbone())
    assert family.classifier_class(backbone) is None
    model = family.with_head(backbone, 5)
    x = cases.examples(backbone)
    pooled = backbone(x)["pooled_output"]
    head = model.get_layer("predictions")
    np.testing.assert_allclose(model(x), head(pooled), atol=1e-5)


def test_a_decoder_is_pooled_over_the_words_that_are_there():
    backbone = cases.with_random_weights(text_models.gpt2_backbone())
    model = family.with_head(backbone, 5)
    x = cases.examples(backbone)
    mask = x["padding_mask"][..., None]
    assert (mask == 0).any()
    tokens = cases.to_numpy(backbone(x))
    pooled = (tokens * mask).sum(axis=1) / mask.sum(axis=1)
    head = model.get_layer("predictions")
    np.testing.assert_allclose(model(x), head(pooled), atol=1e-5)


def test_a_class_token_is_read_where_the_backbone_names_it():
    backbone = cases.with_random_weights(text_models.roberta().backbone)
    x = cases.examples(backbone)
    read = keras.Model(backbone.input, family.pool(backbone))
    tokens = cases.to_numpy(backbone(x))
    np.testing.assert_allclose(read(x), tokens[:, 0], atol=1e-5)


def test_images_are_pooled_over_their_places():
    backbone = cases.with_random_weights(
        keras_hub.models.ResNetBackbone(
            [64],
            [7],
            [64],
            [1],
            [1],
            "basic_block",
            image_shape=(16, 16, 3),
        )
    )
    x = cases.examples(backbone)
    read = keras.Model(backbone.input, family.pool(backbone))
    places = cases.to_numpy(backbone(x))
    np.testing.assert_allclose(
        read(x), places.mean(axis=(1, 2)), rtol=1e-4, atol=1e-4
    )


def test_outputs_that_cannot_be_pooled_are_named():
    bart = keras_hub.models.BartBackbone(**text_models.BACKBONE)
    with pytest.raises(
        ValueError, match="(?s)Cannot tell how to pool.*decoder"
    ):
        family.with_head(bart, 5)


@pytest.mark.parametrize(
    "name", ["roberta", "distil_bert", "deberta_v3", "bert", "albert"]
)
def test_a_task_keeps_its_hidden_layers_under_a_new_head(name):
    model = cases.with_random_weights(getattr(text_models, name)())
    model.preprocessor = preprocessor = keras.layers.Identity()
    model.output_dense.trainable = False
    plex = plexify(
        model, num_classes=7, last_blocks=1, head="keep", fast_weight_stddev=0.0
    )
    assert isinstance(plex, type(model)) and plex.num_classes == 7
    assert plex.preprocessor is preprocessor
    assert plex.output_dense.trainable
    x = cases.examples(model)
    below = [layer for layer in model.layers if layer.name == "pooled_dense"]
    for layer in (*below, model.backbone):
        ours = plex.get_layer(layer.name)
        kept = {weight.path: weight for weight in ours.weights}
        for weight in layer.weights:
            np.testing.assert_array_equal(kept[weight.path], weight)
    assert plex(x).shape == (4, 7)


def test_a_task_without_classes_cannot_get_others():
    model = keras_hub.models.BertMaskedLM(text_models.bert_backbone())
    assert find_family(model) is FAMILIES["keras_hub"]
    with pytest.raises(ValueError, match="is a BertMaskedLM.*`backbone`"):
        plexify(model, num_classes=5)
