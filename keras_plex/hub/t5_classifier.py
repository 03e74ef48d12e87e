"""T5 as a classifier: the first state of its decoder, or its label words."""

import contextlib
import warnings
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Any

import keras
import keras_hub
from keras import ops

from keras_plex.checks import is_integer
from keras_plex.hub.t5_text_classifier_preprocessor import (
    T5TextClassifierPreprocessor,
)
from keras_plex.types import Config

# T5's decoder begins with the padding token.
START_TOKEN_ID = 0


@keras.saving.register_keras_serializable("keras_plex")
class T5Classifier(keras_hub.models.TextClassifier):
    """A T5 that reads a text and says its class in one decoder step.

    The encoder reads the text; the decoder sees its start token and attends to
    the text; a `Dense` layer reads the decoder's state. By default it is new.
    With `label_token_ids` it begins as the rows of T5's vocabulary that stand
    for the labels, as T5 itself would say them: the logits are then those of
    the pretrained language model for these tokens, before any training, and
    the rows learn on their own from there.

    It is a KerasHub task as any other: with a preprocessor it takes strings,
    and `from_preset` builds it from any T5 preset of KerasHub's. Call that of
    this class for other classes than a preset has: through KerasHub's
    `TextClassifier` the label tokens of the preset would come along.

    Args:
        backbone: a `keras_hub.models.T5Backbone`.
        num_classes: positive int, the number of logits.
        preprocessor: a `T5TextClassifierPreprocessor`, or `None` to take
            tokens. Defaults to `None`.
        activation: of the outputs. `None` gives logits. Defaults to `None`.
        dropout: float, of the decoder's state. Defaults to `0.0`.
        label_token_ids: `num_classes` token ids, one for each class in order.
            Defaults to `None`.
        head_dtype: dtype policy of the output layer; `None` for that of the
            backbone. Defaults to `None`.
        **kwargs: arguments of `keras_hub.models.TextClassifier`.

    Input shape:
        A dict of `encoder_token_ids` and `encoder_padding_mask`, each
        `(batch, length)`; with a preprocessor, `fit`, `predict` and `evaluate`
        take strings.

    Output shape:
        `(batch, num_classes)`.

    Example:

    >>> backbone = keras_hub.models.T5Backbone(
    ...     vocabulary_size=20,
    ...     num_layers=1,
    ...     num_heads=2,
    ...     hidden_dim=8,
    ...     intermediate_dim=16,
    ... )
    >>> classifier = T5Classifier(backbone, num_classes=3)
    >>> tokens = np.array([[5, 7, 1], [9, 1, 0]])
    >>> inputs = {
    ...     "encoder_token_ids": tokens,
    ...     "encoder_padding_mask": tokens > 0,
    ... }
    >>> classifier.predict(inputs, verbose=0).shape
    (2, 3)

    Reference:
        Raffel et al., 2020, "Exploring the limits of transfer learning with a
        unified text-to-text transformer", https://arxiv.org/abs/1910.10683;
        one decoder step: Tran et al., 2022, "Plex: towards reliability using
        pretrained large model extensions".
    """

    backbone_cls = keras_hub.models.T5Backbone
    preprocessor_cls = T5TextClassifierPreprocessor

    def __init__(
        self,
        backbone: keras.Model,
        num_classes: int,
        preprocessor: Any = None,
        activation: Any = None,
        dropout: float = 0.0,
        label_token_ids: Sequence[int] | None = None,
        head_dtype: Any = None,
        **kwargs,
    ):
        check_label_tokens(label_token_ids, num_classes, backbone)
        if head_dtype is not None:
            head_dtype = keras.dtype_policies.get(head_dtype)
        self.backbone = backbone
        self.preprocessor = preprocessor
        self.output_dropout = keras.layers.Dropout(
            dropout, dtype=backbone.dtype_policy, name="output_dropout"
        )
        self.output_dense = keras.layers.Dense(
            num_classes,
            activation=activation,
            # The vocabulary has no bias.
            use_bias=label_token_ids is None,
            dtype=head_dtype or backbone.dtype_policy,
            name="logits",
        )
        inputs = {
            name: backbone.input[name]
            for name in ("encoder_token_ids", "encoder_padding_mask")
        }
        with without_false_alarms():
            x = first_decoder_state(backbone, inputs)
        x = self.output_dropout(x)
        outputs = self.output_dense(x)
        super().__init__(inputs=inputs, outputs=outputs, **kwargs)
        if label_token_ids is not None:
            label_token_ids = [int(token) for token in label_token_ids]
        self.num_classes = num_classes
        self.activation = keras.activations.get(activation)
        self.dropout = dropout
        self.label_token_ids = label_token_ids
        self.head_dtype = head_dtype
        start_from_vocabulary(self)

    def call(self, inputs, training=None, mask=None):
        with without_false_alarms():
            return super().call(inputs, training=training, mask=mask)

    @classmethod
    def from_preset(
        cls, preset: str, load_weights: bool = True, **kwargs
    ) -> "T5Classifier":
        """Loads a preset, with a new output layer for other classes.

        Args:
            preset: as in KerasHub's `from_preset`.
            load_weights: bool, `False` for random weights. Defaults to `True`.
            **kwargs: other arguments of KerasHub's `from_preset` and of this
                class. With `num_classes` or `label_token_ids` the output layer
                is new, and the label tokens of the preset do not count.

        Returns:
            A `T5Classifier`.
        """
        label_token_ids = kwargs.pop("label_token_ids", None)
        if label_token_ids is not None:
            kwargs.setdefault("num_classes", len(label_token_ids))
        if "num_classes" in kwargs:
            kwargs["label_token_ids"] = label_token_ids
        model = super().from_preset(preset, load_weights, **kwargs)
        if "num_classes" in kwargs:
            # KerasHub makes a model first and loads the vocabulary then.
            start_from_vocabulary(model)
        return model

    def get_config(self) -> Config:
        policy = self.output_dense.dtype_policy
        follows = self.head_dtype is None and policy.quantization_mode is None
        return {
            **super().get_config(),
            "num_classes": self.num_classes,
            "activation": keras.activations.serialize(self.activation),
            "dropout": self.dropout,
            "label_token_ids": self.label_token_ids,
            "head_dtype": (
                None if follows else keras.dtype_policies.serialize(policy)
            ),
        }


FALSE_ALARMS = (
    # The decoder attends to its one step: a softmax over one number.
    "You are using a softmax over axis",
    # T5's attention takes `mask=` by name and returns none.
    "Layer '(self|cross)_attention' .of type T5MultiHeadAttention. was passed",
)


@contextlib.contextmanager
def without_false_alarms() -> Iterator[None]:
    """Within it, Keras does not warn of what T5 does on purpose."""
    with warnings.catch_warnings():
        for message in FALSE_ALARMS:
            warnings.filterwarnings("ignore", message, UserWarning)
        yield


def first_decoder_state(
    backbone: keras.Model, inputs: dict[str, keras.KerasTensor]
) -> keras.KerasTensor:
    """`(batch, dim)`: what the decoder makes of its start token."""
    # (batch, length) -> (batch, 1)
    nothing = ops.zeros_like(inputs["encoder_token_ids"][:, :1])
    states = backbone(
        {
            **inputs,
            "decoder_token_ids": nothing + START_TOKEN_ID,
            "decoder_padding_mask": nothing + 1,
        }
    )
    return states["decoder_sequence_output"][:, 0, :]


def start_from_vocabulary(model: T5Classifier) -> None:
    """Makes the output layer the rows of the label tokens, if there are any."""
    head = model.output_dense
    # Only a copy or a file has a quantized head, and its weights follow.
    if model.label_token_ids is None or head.quantization_mode is not None:
        return
    head.kernel.assign(vocabulary_kernel(model.backbone, model.label_token_ids))


def vocabulary_kernel(backbone: keras.Model, token_ids: Sequence[int]) -> Any:
    """`(dim, len(token_ids))`: T5's own logits of these tokens."""
    if not backbone.tie_embedding_weights:
        return ops.take(output_embeddings(backbone), token_ids, axis=1)
    # T5 rescales states where its head is the embedding.
    rows = input_embeddings(backbone, token_ids)
    return ops.transpose(rows) * backbone.hidden_dim**-0.5


def output_embeddings(backbone: keras.Model) -> Any:
    """`(dim, vocabulary)`, in floating point."""
    embedding = backbone.token_embedding
    if embedding.quantization_mode is None:
        return embedding.reverse_embeddings
    # The logits of unit vectors are its rows.
    return embedding(ops.eye(backbone.hidden_dim), reverse=True)


def input_embeddings(backbone: keras.Model, token_ids: Sequence[int]) -> Any:
    """`(len(token_ids), dim)`, in floating point."""
    embedding = backbone.token_embedding
    if embedding.quantization_mode is None:
        return ops.take(embedding.embeddings, token_ids, axis=0)
    return embedding(ops.array(token_ids, "int32"))


def check_label_tokens(
    token_ids: Sequence[int] | None, num_classes: int, backbone: keras.Model
) -> None:
    """Raises unless there is one token of the vocabulary for each class."""
    if token_ids is None:
        return
    size = backbone.vocabulary_size
    known = [is_integer(x) and 0 <= x < size for x in token_ids]
    if len(token_ids) != num_classes or not all(known):
        raise ValueError(
            f"`label_token_ids` must be `num_classes` integers below {size}, "
            "the size of the vocabulary. Received: "
            f"num_classes={num_classes}, label_token_ids={token_ids!r}"
        )
    if len(set(token_ids)) < num_classes:
        raise ValueError(
            "`label_token_ids` must differ: classes with one token start with "
            f"the same logits. Received: label_token_ids={token_ids!r}"
        )
