"""The shortcut goes into the last block, and only where it is exact."""

import keras
import keras_hub
import numpy as np
import pytest
from keras import ops

from keras_plex import plexify
from keras_plex.conversion import forward_pass
from keras_plex.conversion.families.class_token import ClassTokenBlock
from tests import cases
from tests import vision_models


def test_a_family_says_what_its_block_computes():
    with pytest.raises(NotImplementedError):
        ClassTokenBlock().class_token_pass(np.ones((2, 3, 4)))


@pytest.mark.parametrize(
    "pooling, layers, expected",
    [
        ("token", None, True),
        ("gap", None, False),
        ("token", ["transformer_block_2/mha"], False),
    ],
)
def test_the_shortcut_is_put_in_where_it_is_exact(pooling, layers, expected):
    model = cases.with_random_weights(vision_models.deit(pooling=pooling))
    plex = plexify(model, layers=layers, head="keep", seed=0)
    assert plex.conversion.class_token_only is expected
    encoder = plex.backbone.get_layer("deit_encoder")
    found = [
        isinstance(block, ClassTokenBlock) for block in encoder.encoder_layers
    ]
    assert found == [False, False, expected]


def test_a_pass_without_it_gives_all_tokens():
    model = cases.with_random_weights(vision_models.deit())
    plex = plexify(model, last_blocks=1, head="keep", seed=0)
    x = cases.examples(model)
    tokens = cases.to_numpy(plex.backbone(x))
    assert tokens.shape == (3 * 4, 6, 8)  # four patches and two tokens
    outputs = cases.to_numpy(plex.output_dense(tokens[:, 0]))
    with forward_pass.returning(forward_pass.MEMBERS):
        members = cases.to_numpy(plex(x))
    np.testing.assert_allclose(outputs, members, atol=1e-5)


class MyViT(keras_hub.models.ViTImageClassifier):
    """An heir that reads all tokens."""

    def call(self, inputs, training=None, mask=None):
        return self.output_dense(ops.mean(self.backbone(inputs), axis=1))


class MyDeiT(keras_hub.models.DeiTImageClassifier):
    """Another."""

    call = MyViT.call


class MyBackbone(keras_hub.models.DeiTBackbone):
    """An heir that mixes all tokens into the class token."""

    def call(self, inputs, training=None, mask=None):
        tokens = super().call(inputs, training=training, mask=mask)
        return tokens + ops.mean(tokens, axis=1, keepdims=True)


def deit_around_an_heir() -> keras.Model:
    backbone = MyBackbone((8, 8, 3), 4, 3, 2, 8, 8)
    return keras_hub.models.DeiTImageClassifier(backbone, 3)


HEIRS = {
    "vit": lambda: MyViT(cases.vit_backbone(2), 3),
    "deit": lambda: MyDeiT(vision_models.deit_backbone(), 3),
    "backbone": deit_around_an_heir,
}


@pytest.mark.parametrize("name", HEIRS)
def test_an_heir_that_reads_all_tokens_has_no_shortcut(name):
    model = cases.with_random_weights(HEIRS[name]())
    assert model.pooling == "token"
    plex = plexify(
        model, last_blocks=1, head="keep", fast_weight_stddev=0.0, seed=0
    )
    assert not plex.conversion.class_token_only
    x = cases.examples(model)
    np.testing.assert_allclose(
        ops.softmax(plex(x)), ops.softmax(model(x)), atol=1e-5
    )
