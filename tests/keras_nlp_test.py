"""`keras_nlp` is another name of KerasHub: its models are the same classes."""

import inspect

import keras_hub
import pytest

from keras_plex import plexify
from tests import text_models

keras_nlp = pytest.importorskip("keras_nlp")


@pytest.mark.parametrize(
    "name",
    [
        "BertTextClassifier",
        "RobertaTextClassifier",
        "XLMRobertaTextClassifier",
        "DistilBertTextClassifier",
        "DebertaV3TextClassifier",
        "T5Backbone",
        "T5Seq2SeqLM",
        "ViTImageClassifier",
    ],
)
def test_a_model_is_the_same_class(name):
    assert getattr(keras_nlp.models, name) is getattr(keras_hub.models, name)


def test_every_model_of_keras_nlp_is_one_of_keras_hub():
    models = {
        name: value
        for name, value in vars(keras_nlp.models).items()
        if inspect.isclass(value)
    }
    assert len(models) > 100
    for name, value in models.items():
        assert getattr(keras_hub.models, name) is value


def test_a_model_of_keras_nlp_is_converted():
    backbone = keras_nlp.models.BertBackbone(**text_models.BACKBONE)
    stock = keras_nlp.models.BertTextClassifier(backbone, num_classes=3)
    plex = plexify(stock, last_blocks=1, seed=0)
    assert isinstance(plex, keras_nlp.models.BertTextClassifier)
    assert plex.conversion.class_token_only
