"""What is special about language models: their output layer."""

import pytest

from keras_plex import plexify
from keras_plex.conversion.families import find_default_head
from keras_plex.conversion.families import language_model
from tests import cases
from tests import seq2seq_models

MODELS = (
    seq2seq_models.t5_seq2seq_lm,
    seq2seq_models.t5gemma,
    seq2seq_models.bart,
    seq2seq_models.gpt2,
)


@pytest.mark.parametrize("make", MODELS)
def test_the_default_head_keeps_the_output_layer(make):
    model = make()
    assert language_model.FAMILY.is_member(model)
    assert find_default_head(model) == "keep"
    plex = plexify(model, last_blocks=1)
    assert plex.conversion.settings.head == "keep"
    assert plex.output_kind == "softmax_logits"


def test_other_models_keep_their_default_head():
    assert find_default_head(cases.vit()) == "gp"
    assert find_default_head(cases.mlp()) == "gp"


def test_a_new_head_of_classes_raises():
    with pytest.raises(ValueError, match="is a .*`backbone`"):
        plexify(seq2seq_models.gpt2(), num_classes=3)
