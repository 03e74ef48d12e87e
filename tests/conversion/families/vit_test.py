"""A class-token classifier skips what nobody reads, exactly."""

import dataclasses

import keras
import numpy as np
import pytest
from keras import ops

from keras_plex import plexify
from keras_plex.conversion import forward_pass
from keras_plex.conversion.families import vit
from keras_plex.conversion.surgery import intercept_calls
from tests import cases


def converted(name="vit", **arguments):
    model = cases.make(name)
    plex = plexify(model, **{"head": "keep", "seed": 0, **arguments})
    return plex, cases.examples(model, 5)


@pytest.fixture(scope="module")
def vit_and_images():
    return converted()


def run(plex, x, mode, shortcut):
    """What a pass returns with the shortcut on or off."""
    state, conversion = plex._plex, plex.conversion
    state.conversion = dataclasses.replace(
        conversion, class_token_only=shortcut
    )
    try:
        with forward_pass.returning(mode):
            return cases.to_numpy(plex(x))
    finally:
        state.conversion = conversion


@pytest.mark.parametrize(
    "name, arguments",
    [
        ("vit", {"head": "gp", "head_options": {"num_features": 16}}),
        ("vit", {"ensemble_attention": False, "last_blocks": 1}),
        ("vit_intermediate", {"head": "batch_ensemble"}),
        ("vit_softmax", {"ensemble_size": 1}),
    ],
)
def test_the_shortcut_is_exact(name, arguments):
    plex, x = converted(name, **arguments)
    assert plex.conversion.class_token_only
    for mode in (forward_pass.FORECAST, forward_pass.MEMBERS):
        short, long = (run(plex, x, mode, on) for on in (True, False))
        np.testing.assert_allclose(short, long, atol=1e-6)
    short, long = (
        run(plex, x, forward_pass.FEATURES, on) for on in (True, False)
    )
    assert set(short) == set(long)
    for key in short:
        np.testing.assert_allclose(short[key], long[key], atol=1e-6)


def test_the_shortcut_has_the_same_gradients(vit_and_images):
    import tensorflow as tf

    plex, x = vit_and_images

    def gradients(shortcut):
        with tf.GradientTape() as tape:
            with forward_pass.model_pass(shortcut):
                # The backbone by itself, then what the classifier reads.
                token = plex.backbone(x)[:, 0]
                loss = ops.sum(ops.square(plex.output_dense(token)))
        weights = [w.value for w in plex.trainable_weights]
        found = tape.gradient(loss, weights)
        # None for the biases of keys, to which attention is blind.
        return [tf.convert_to_tensor(g) for g in found if g is not None]

    for short, long in zip(gradients(True), gradients(False), strict=True):
        np.testing.assert_allclose(short, long, atol=1e-4)


def test_the_last_block_sees_one_token_of_each_image(vit_and_images):
    plex, x = vit_and_images
    shapes = []

    def note(operation, args, kwargs):
        if operation.name == "mlp":
            shapes.append(tuple(args[0].shape))
        return args, kwargs

    with intercept_calls(note):
        plex(x)
    # Four patches and the class token; 5 images, 3 members.
    assert shapes == [(5, 5, 8), (15, 5, 8), (15, 1, 8)]


def test_a_backbone_called_alone_gives_all_tokens(vit_and_images):
    plex, x = vit_and_images
    tokens = cases.to_numpy(plex.backbone(x))
    assert tokens.shape == (3 * 5, 5, 8)
    outputs = cases.to_numpy(plex.output_dense(tokens[:, 0]))
    members = run(plex, x, forward_pass.MEMBERS, shortcut=True)
    np.testing.assert_allclose(outputs, members, atol=1e-5)


def test_a_model_of_inner_outputs_gives_all_tokens(vit_and_images):
    plex, x = vit_and_images
    tokens = keras.Model(plex.backbone.input, plex.backbone.output)
    assert tokens(x).shape == (3 * 5, 5, 8)


def test_the_shortcut_holds_in_training_with_dropout_off(vit_and_images):
    plex, x = vit_and_images
    training = cases.to_numpy(plex(x, training=True))
    np.testing.assert_allclose(training, plex(x), atol=1e-6)


@pytest.mark.parametrize(
    "name, arguments",
    [
        ("vit_gap", {}),
        ("vit", {"layers": ["block_2/mha"]}),
    ],
)
def test_there_is_no_shortcut_where_it_would_be_wrong(name, arguments):
    plex, x = converted(name, **arguments)
    assert not plex.conversion.class_token_only
    encoder = plex.backbone.get_layer("vit_encoder")
    assert not any(
        isinstance(block, vit.ClassTokenBlock)
        for block in encoder.encoder_layers
    )


def test_members_are_told_from_other_models():
    classifier = cases.vit(2)
    assert vit.is_member(classifier) and not vit.is_backbone(classifier)
    backbone = classifier.backbone
    assert vit.is_member(backbone) and vit.is_backbone(backbone)
    assert not vit.is_member(cases.mlp())


@pytest.mark.parametrize(
    "use_class_token, pooling", [(True, "token"), (False, "gap")]
)
def test_a_new_head_pools_as_the_backbone_allows(use_class_token, pooling):
    backbone = cases.vit_backbone(2, use_class_token=use_class_token)
    model = vit.with_head(backbone, 4)
    assert (model.pooling, model.num_classes) == (pooling, 4)
    assert model.backbone is backbone
