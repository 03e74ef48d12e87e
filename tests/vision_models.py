"""Tiny vision models of KerasHub and KerasCV, one for each family."""

import keras
import keras_hub

CLASSES = 3

hub = keras_hub.models


def deit_backbone() -> keras.Model:
    return hub.DeiTBackbone((8, 8, 3), 4, 3, 2, 8, 8)


def deit(**arguments) -> keras.Model:
    """Pooled by its class token; a distillation token comes second."""
    return hub.DeiTImageClassifier(deit_backbone(), CLASSES, **arguments)


def dinov2(**arguments) -> keras.Model:
    """Position embeddings of nine patches, images of four."""
    arguments = {
        "position_embedding_shape": (12, 12, 3),
        "num_register_tokens": 1,
        **arguments,
    }
    return hub.DINOV2Backbone(4, 3, 8, 2, 8, image_shape=(8, 8, 3), **arguments)


def dinov3() -> keras.Model:
    return hub.DINOV3Backbone(
        4, 3, 8, 2, 8, num_register_tokens=1, image_shape=(8, 8, 3)
    )


def clip_vision(**arguments) -> keras.Model:
    return hub.CLIPVisionEncoder(
        4, 8, 3, 2, 8, image_shape=(8, 8, 3), **arguments
    )


def metaclip_2_vision() -> keras.Model:
    return hub.MetaCLIP2VisionEncoder(4, 8, 3, 2, 8, image_shape=(8, 8, 3))


def siglip_vision() -> keras.Model:
    return hub.SigLIPVisionEncoder(4, 8, 3, 2, 8, image_shape=(8, 8, 3))


def clip() -> keras.Model:
    """Images and texts."""
    text = hub.CLIPTextEncoder(11, 8, 8, 2, 2, 8, max_sequence_length=5)
    return hub.CLIPBackbone(clip_vision(), text, 8)


def siglip() -> keras.Model:
    """Images and texts."""
    text = hub.SigLIPTextEncoder(11, 8, 8, 2, 2, 8, max_sequence_length=5)
    return hub.SigLIPBackbone(siglip_vision(), text)


def swin_transformer_backbone() -> keras.Model:
    return hub.SwinTransformerBackbone(
        (16, 16, 3), 8, (2, 2), (2, 2), 2, patch_size=4, drop_path=0.0
    )


def swin_transformer() -> keras.Model:
    """Two stages of two blocks; every second one shifts its windows."""
    return hub.SwinTransformerImageClassifier(
        swin_transformer_backbone(), CLASSES
    )


def mit_backbone() -> keras.Model:
    return hub.MiTBackbone(
        layerwise_depths=[2, 2],
        num_layers=2,
        layerwise_num_heads=[1, 2],
        layerwise_sr_ratios=[2, 1],
        max_drop_path_rate=0.1,
        layerwise_patch_sizes=[7, 3],
        layerwise_strides=[4, 2],
        image_shape=(32, 32, 3),
        hidden_dims=[8, 16],
    )


def mit() -> keras.Model:
    return hub.MiTImageClassifier(mit_backbone(), CLASSES)


def vit_det() -> keras.Model:
    return hub.ViTDetBackbone(
        8,
        4,
        8,
        2,
        [1, 3],
        image_shape=(32, 32, 3),
        patch_size=4,
        num_output_channels=8,
        window_size=4,
    )


def keras_cv_vit_det() -> keras.Model:
    import keras_cv

    return keras_cv.models.ViTDetBackbone(
        input_shape=(32, 32, 3),
        include_rescaling=False,
        patch_size=4,
        embed_dim=8,
        depth=4,
        mlp_dim=8,
        num_heads=2,
        out_chans=8,
        use_bias=True,
        use_abs_pos=True,
        use_rel_pos=True,
        rel_pos_zero_init=True,
        window_size=4,
        global_attention_indices=[1, 3],
        layer_norm_epsilon=1e-6,
    )


def keras_cv_vit(**arguments) -> keras.Model:
    """A legacy classifier, whose own files Keras cannot read back."""
    from keras_cv.src.models.legacy import vit

    return vit.ViT(
        include_rescaling=False,
        include_top=True,
        input_shape=(8, 8, 3),
        num_classes=CLASSES,
        patch_size=4,
        transformer_layer_num=3,
        num_heads=2,
        mlp_dropout=0.0,
        attention_dropout=0.0,
        activation=keras.activations.gelu,
        project_dim=8,
        mlp_dim=8,
        name="legacy_vit",
        **arguments,
    )


def resnet_backbone(
    block_type: str = "basic_block", **arguments
) -> keras.Model:
    """Two stages of two blocks each."""
    return hub.ResNetBackbone(
        [64],
        [7],
        [64, 8],
        [2, 2],
        [1, 2],
        block_type,
        image_shape=(16, 16, 3),
        **arguments,
    )


def resnet(*args, **arguments) -> keras.Model:
    """With statistics that fit the random weights which tests give it."""
    model = hub.ResNetImageClassifier(
        resnet_backbone(*args, **arguments), CLASSES
    )
    for weight in model.weights:
        if weight.name == "moving_variance":
            weight.assign(50.0 * keras.ops.ones(weight.shape))
    return model


def resnet_bottleneck() -> keras.Model:
    return resnet("bottleneck_block")


def resnet_v2() -> keras.Model:
    return resnet("basic_block", use_pre_activation=True)


def efficientnet_backbone(block_type: str = "v1", **arguments) -> keras.Model:
    """Three stages, of one, one and two blocks."""
    arguments = {
        "stackwise_width_coefficients": [1.0] * 3,
        "stackwise_depth_coefficients": [1.0] * 3,
        "stackwise_kernel_sizes": [3, 3, 3],
        "stackwise_num_repeats": [1, 1, 2],
        "stackwise_input_filters": [8, 8, 8],
        "stackwise_output_filters": [8, 8, 8],
        "stackwise_expansion_ratios": [1, 4, 4],
        "stackwise_squeeze_and_excite_ratios": [0.25] * 3,
        "stackwise_strides": [1, 2, 1],
        "stackwise_block_types": [block_type] * 3,
        "input_shape": (16, 16, 3),
        "dropout": 0.0,
        **arguments,
    }
    return hub.EfficientNetBackbone(**arguments)


def efficientnet(*args, **arguments) -> keras.Model:
    return hub.EfficientNetImageClassifier(
        efficientnet_backbone(*args, **arguments), CLASSES
    )


def efficientnet_v2() -> keras.Model:
    return efficientnet("unfused")


def efficientnet_fused() -> keras.Model:
    return efficientnet("fused")


HEAD = {"num_classes": CLASSES}

# One row for each family: its model, and arguments of `plexify`.
FAMILIES = {
    "deit": (deit, {}),
    "dinov2": (dinov2, HEAD),
    "dinov3": (dinov3, HEAD),
    "clip_vision": (clip_vision, HEAD),
    "metaclip_2_vision": (metaclip_2_vision, HEAD),
    "siglip_vision": (siglip_vision, HEAD),
    "swin_transformer": (swin_transformer, {}),
    "mit": (mit, {}),
    "vit_det": (vit_det, HEAD),
    "keras_cv_vit_det": (keras_cv_vit_det, HEAD),
    "resnet": (resnet, {}),
    "resnet_bottleneck": (resnet_bottleneck, {}),
    "resnet_v2": (resnet_v2, {}),
    "efficientnet": (efficientnet, {}),
    "efficientnet_v2": (efficientnet_v2, {}),
}
