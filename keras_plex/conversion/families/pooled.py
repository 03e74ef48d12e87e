"""Backbones without a task of their own: how their outputs are pooled."""

from collections.abc import Callable

import keras

from keras_plex.conversion.families.family import Family
from keras_plex.conversion.families.family import has_ancestor


def token_and_patches(backbone: keras.Model, outputs):
    """Class token and mean patch, as in DINOv2's linear classifiers.

    Register tokens stand between them and are left out.
    """
    tokens = outputs  # (batch, 1 + registers + patches, dim)
    patches = tokens[:, 1 + backbone.num_register_tokens :]
    mean = keras.layers.GlobalAveragePooling1D(
        dtype=backbone.dtype_policy, name="mean_patch"
    )(patches)
    return keras.layers.Concatenate(dtype=backbone.dtype_policy, name="pooler")(
        [tokens[:, 0], mean]
    )


def class_token(backbone: keras.Model, outputs):
    """The class token, as in CLIP's linear probes."""
    if isinstance(outputs, dict):
        outputs = outputs["sequence_output"]
    return outputs[:, 0]  # (batch, tokens, dim) -> (batch, dim)


def as_it_is(backbone: keras.Model, outputs):
    """SigLIP's encoder ends in attention that pools: `(batch, dim)`."""
    return outputs


def average(backbone: keras.Model, outputs):
    """The mean of a feature map `(batch, height, width, channels)`."""
    return keras.layers.GlobalAveragePooling2D(
        data_format="channels_last", dtype=backbone.dtype_policy, name="pooler"
    )(outputs)


def pooled(package: str, name: str, pool: Callable) -> Family:
    """The family of one backbone class.

    Args:
        package: where the class is.
        name: of the class.
        pool: `(backbone, outputs)` to one vector per example.
    """

    def is_backbone(model: keras.Model) -> bool:
        return has_ancestor(model, package, name)

    def with_head(backbone: keras.Model, num_classes: int) -> keras.Model:
        features = pool(backbone, backbone(backbone.input))
        logits = keras.layers.Dense(
            num_classes, dtype=backbone.dtype_policy, name="predictions"
        )(features)
        return keras.Model(
            backbone.input, logits, name=f"{backbone.name}_classifier"
        )

    return Family(
        is_member=is_backbone, is_backbone=is_backbone, with_head=with_head
    )


POOLED: dict[str, Family] = {
    "dinov2": pooled("keras_hub", "DINOV2Backbone", token_and_patches),
    "dinov3": pooled("keras_hub", "DINOV3Backbone", token_and_patches),
    "clip_vision": pooled("keras_hub", "CLIPVisionEncoder", class_token),
    "metaclip_2_vision": pooled(
        "keras_hub", "MetaCLIP2VisionEncoder", class_token
    ),
    "siglip_vision": pooled("keras_hub", "SigLIPVisionEncoder", as_it_is),
    "vit_det": pooled("keras_hub", "ViTDetBackbone", average),
    "keras_cv_vit_det": pooled("keras_cv", "ViTDetBackbone", average),
}
