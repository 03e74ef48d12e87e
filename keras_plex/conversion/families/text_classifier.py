"""KerasHub's text classifiers that read the first token: BERT and its kin."""

import keras

from keras_plex.conversion import forward_pass
from keras_plex.conversion.families.class_token import is_of_kerashub
from keras_plex.conversion.families.family import Family
from keras_plex.conversion.surgery import add_mixin
from keras_plex.conversion.surgery import child_layers
from keras_plex.types import Tensor

CLASSIFIERS = (
    "BertTextClassifier",
    "DebertaV3TextClassifier",
    "DistilBertTextClassifier",
    "RobertaTextClassifier",
    "XLMRobertaTextClassifier",
)


class ClassTokenEncoder:
    """Mixin in front of the last block of a classifier by the first token.

    Only that token gets a query, an output projection and a feed-forward
    pass; it still attends to every token: the result is exact.
    `model.backbone(x)` called alone gives all tokens as before.
    """

    def call(self, inputs: Tensor, *args, padding_mask=None, **kwargs):
        if not forward_pass.is_class_token_only():
            return super().call(
                inputs, *args, padding_mask=padding_mask, **kwargs
            )
        with forward_pass.attending_to(inputs, padding_mask):
            return super().call(inputs[:, :1], *args, **kwargs)


class OneQuery:
    """Mixin in front of attention: what is passed asks, all tokens answer."""

    def call(self, query, value, *args, attention_mask=None, **kwargs):
        attended = forward_pass.attended()
        if attended is not None:
            value, attention_mask = attended
        return super().call(
            query, value, *args, attention_mask=attention_mask, **kwargs
        )


class OneAnswer:
    """Mixin in front of attention whose queries cannot be told from its keys.

    All tokens attend to all, and the first token's answer is kept.
    """

    def call(self, inputs, *args, attention_mask=None, **kwargs):
        attended = forward_pass.attended()
        if attended is None:
            return super().call(
                inputs, *args, attention_mask=attention_mask, **kwargs
            )
        tokens, mask = attended
        answers = super().call(tokens, *args, attention_mask=mask, **kwargs)
        return answers[:, :1]


# Class of a block's attention -> what makes it serve the first token alone.
ATTENTION = {
    "MultiHeadAttention": OneQuery,
    "DisentangledSelfAttention": OneAnswer,
}


def is_member(model: keras.Model) -> bool:
    """Whether it is one of KerasHub's own classifiers by the first token."""
    return is_of_kerashub(model, *CLASSIFIERS)


def prepare(model: keras.Model, blocks: list[keras.layers.Layer]) -> bool:
    """Puts the shortcut in where it is exact; returns whether it is there."""
    last = model.backbone.transformer_layers[-1]
    attention = [
        layer
        for layer in child_layers(last)
        if type(layer).__name__ in ATTENTION
    ]
    # A block that normalizes first does not attend to its own inputs.
    normalizes_first = getattr(last, "normalize_first", False)
    if last not in blocks or normalizes_first or len(attention) != 1:
        return False
    add_mixin(last, ClassTokenEncoder)
    add_mixin(attention[0], ATTENTION[type(attention[0]).__name__])
    return True


FAMILY = Family(is_member=is_member, prepare=prepare)
