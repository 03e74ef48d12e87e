"""The last block of a class-token classifier skips what nobody reads."""

import keras

from keras_plex.conversion import forward_pass
from keras_plex.conversion.surgery import add_mixin
from keras_plex.types import Tensor

# With `pooling="token"` they read the class token alone.
CLASSIFIERS = ("DeiTImageClassifier", "ViTImageClassifier")


class ClassTokenBlock:
    """Mixin in front of the last encoder block of a class-token classifier.

    The classifier reads only the class token of its output, so only that
    token needs a query, an output projection and a feed-forward pass. Keys and
    values still see every token: the result is exact. `model.backbone(x)`
    called alone gives all tokens as before.

    A family's own mixin says in `class_token_pass` what the block computes.
    """

    def call(self, inputs: Tensor, *args, **kwargs):
        if not forward_pass.is_class_token_only():
            return super().call(inputs, *args, **kwargs)
        return self.class_token_pass(inputs)

    def class_token_pass(self, inputs: Tensor):
        """What the block gives for the first of `(rows, tokens, dim)`."""
        raise NotImplementedError


def add_shortcut(
    model: keras.Model,
    blocks: list[keras.layers.Layer],
    encoder: str,
    mixin: type[ClassTokenBlock],
) -> bool:
    """Puts the shortcut in where it is exact; returns whether it is there.

    Args:
        model: a KerasHub model whose layers are converted, of its stock class;
            changed in place.
        blocks: those that hold members.
        encoder: the name of the backbone's layer with `encoder_layers`.
        mixin: of the family.
    """
    if not is_of_kerashub(model, *CLASSIFIERS) or model.pooling != "token":
        return False
    last = model.backbone.get_layer(encoder).encoder_layers[-1]
    if last not in blocks:
        return False
    add_mixin(last, mixin)
    return True


def is_of_kerashub(model: keras.Model, *names: str) -> bool:
    """Whether its class is one of these of KerasHub's, as its backbone's is.

    A user's heir of either may read other tokens.
    """
    classes = (type(model), type(getattr(model, "backbone", None)))
    packages = {cls.__module__.partition(".")[0] for cls in classes}
    return packages == {"keras_hub"} and type(model).__name__ in names
