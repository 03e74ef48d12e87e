"""KerasHub's DeiT: `DeiTImageClassifier` and `DeiTBackbone`."""

import dataclasses

import keras

from keras_plex.conversion.families.class_token import ClassTokenBlock
from keras_plex.conversion.families.class_token import add_shortcut
from keras_plex.conversion.families.image_classifiers import image_classifier
from keras_plex.types import Tensor


class DeiTClassTokenBlock(ClassTokenBlock):
    """The shortcut in a DeiT block, which also gives attention scores."""

    def class_token_pass(self, inputs: Tensor) -> tuple[Tensor, None]:
        x = self.layer_norm_1(inputs)
        x = self.mha(x[:, :1], x) + inputs[:, :1]  # (rows, 1, dim)
        return self.output_layer(self.mlp(self.layer_norm_2(x)), x), None


def prepare(model: keras.Model, blocks: list[keras.layers.Layer]) -> bool:
    """Puts the shortcut in where it is exact; returns whether it is there."""
    return add_shortcut(model, blocks, "deit_encoder", DeiTClassTokenBlock)


FAMILY = dataclasses.replace(image_classifier("DeiT"), prepare=prepare)
