"""KerasHub's Vision Transformer: `ViTImageClassifier` and `ViTBackbone`."""

import keras

from keras_plex.conversion.families.class_token import ClassTokenBlock
from keras_plex.conversion.families.class_token import add_shortcut
from keras_plex.conversion.families.family import Family
from keras_plex.conversion.families.family import has_ancestor
from keras_plex.types import Tensor


class ViTClassTokenBlock(ClassTokenBlock):
    """The shortcut in a ViT block."""

    def class_token_pass(self, inputs: Tensor) -> Tensor:
        x = self.layer_norm_1(inputs)
        x = self.mha(x[:, :1], x)  # (rows, 1, dim)
        x = self.dropout(x) + inputs[:, :1]
        return x + self.mlp(self.layer_norm_2(x))


def is_member(model: keras.Model) -> bool:
    """Whether it is a ViT backbone or classifier."""
    return is_backbone(model) or has_ancestor(
        model, "keras_hub", "ViTImageClassifier"
    )


def is_backbone(model: keras.Model) -> bool:
    """Whether it is a ViT without an output layer."""
    return has_ancestor(model, "keras_hub", "ViTBackbone")


def with_head(backbone: keras.Model, num_classes: int) -> keras.Model:
    """A classifier, pooled by the class token where there is one."""
    import keras_hub

    return keras_hub.models.ViTImageClassifier(
        backbone=backbone,
        num_classes=num_classes,
        pooling="token" if backbone.use_class_token else "gap",
    )


def prepare(model: keras.Model, blocks: list[keras.layers.Layer]) -> bool:
    """Puts the shortcut in where it is exact; returns whether it is there."""
    return add_shortcut(model, blocks, "vit_encoder", ViTClassTokenBlock)


FAMILY = Family(
    is_member=is_member,
    is_backbone=is_backbone,
    with_head=with_head,
    prepare=prepare,
)
