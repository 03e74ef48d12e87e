"""The shortcut goes into the last block, and only where it is exact."""

import numpy as np
import pytest

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
