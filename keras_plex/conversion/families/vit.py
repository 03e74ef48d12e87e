"""KerasHub's Vision Transformer: `ViTImageClassifier` and `ViTBackbone`."""

import keras

from keras_plex.conversion import forward_pass
from keras_plex.conversion.families.family import Family
from keras_plex.conversion.families.family import has_ancestor
from keras_plex.conversion.surgery import add_mixin
from keras_plex.types import Tensor


class ClassTokenBlock:
    """Mixin in front of the last encoder block of a class-token classifier.

    The classifier reads only the class token of its output, so only that
    token needs a query, an output projection and a feed-forward pass. Keys and
    values still see every token: the result is exact. `model.backbone(x)`
    called alone gives all tokens as before.
    """

    def call(self, inputs: Tensor) -> Tensor:
        if not forward_pass.is_class_token_only():
            return super().call(inputs)
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
    pooling = getattr(model, "pooling", None)
    if is_backbone(model) or pooling != "token":
        return False
    encoder = model.backbone.get_layer("vit_encoder")
    last = encoder.encoder_layers[-1]
    if last not in blocks:
        return False
    add_mixin(last, ClassTokenBlock)
    return True


FAMILY = Family(
    is_member=is_member,
    is_backbone=is_backbone,
    with_head=with_head,
    prepare=prepare,
)
