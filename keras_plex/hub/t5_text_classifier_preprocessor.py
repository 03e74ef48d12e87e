"""Raw strings to what a T5 classifier reads."""

from typing import Any

import keras
import keras_hub

from keras_plex.types import Config


@keras.saving.register_keras_serializable("keras_plex")
class T5TextClassifierPreprocessor(keras_hub.models.TextClassifierPreprocessor):
    """Turns strings into the inputs of `T5Classifier`.

    A text becomes its tokens, T5's end token, and padding; one that is too
    long loses its end. T5 tells tasks and parts of a text apart by words:
    write pairs into one string, as in `"mnli premise: ... hypothesis: ..."`.

    Args:
        tokenizer: a `keras_hub.models.T5Tokenizer`.
        sequence_length: positive int, of the packed tokens. Defaults to `512`.
        **kwargs: arguments of `keras.layers.Layer`.

    Input shape:
        A string, or `(batch,)` of strings; labels and sample weights pass
        through.

    Output shape:
        A dict of `encoder_token_ids` and `encoder_padding_mask`, each
        `(batch, sequence_length)`.

    Example:

    >>> import io, sentencepiece
    >>> file = io.BytesIO()
    >>> sentencepiece.SentencePieceTrainer.train(
    ...     sentence_iterator=iter(["the quick brown fox"]),
    ...     model_writer=file,
    ...     model_type="WORD",
    ...     vocab_size=7,
    ...     bos_id=-1,
    ...     pad_id=0,
    ...     eos_id=1,
    ...     unk_id=2,
    ...     pad_piece="<pad>",
    ...     eos_piece="</s>",
    ...     unk_piece="<unk>",
    ...     minloglevel=2,
    ... )
    >>> tokenizer = keras_hub.models.T5Tokenizer(file.getvalue())
    >>> preprocessor = T5TextClassifierPreprocessor(tokenizer, 4)
    >>> found = preprocessor(["the fox", "quick quick quick quick"])
    >>> np.asarray(found["encoder_padding_mask"]).astype(int).tolist()
    [[1, 1, 1, 0], [1, 1, 1, 1]]

    Reference:
        Raffel et al., 2020, "Exploring the limits of transfer learning with a
        unified text-to-text transformer", https://arxiv.org/abs/1910.10683
    """

    backbone_cls = keras_hub.models.T5Backbone
    tokenizer_cls = keras_hub.models.T5Tokenizer

    def __init__(self, tokenizer, sequence_length: int = 512, **kwargs):
        kwargs.pop("truncate", None)  # of pairs, which this class has not
        super().__init__(tokenizer, sequence_length=sequence_length, **kwargs)

    def build(self, input_shape=None) -> None:
        self.packer = keras_hub.layers.StartEndPacker(
            sequence_length=self.sequence_length,
            end_value=self.tokenizer.end_token_id,
            pad_value=self.tokenizer.pad_token_id,
            return_padding_mask=True,
        )
        self.built = True

    def call(self, x: Any, y: Any = None, sample_weight: Any = None) -> Any:
        if isinstance(x, dict):
            raise ValueError(
                "`T5TextClassifierPreprocessor` takes one string per example. "
                "Write the parts of a text into one string. "
                f"Received: x of type {type(x).__name__}"
            )
        token_ids, padding_mask = self.packer(self.tokenizer(x))
        inputs = {
            "encoder_token_ids": token_ids,
            "encoder_padding_mask": padding_mask,
        }
        return keras.utils.pack_x_y_sample_weight(inputs, y, sample_weight)

    def get_config(self) -> Config:
        config = super().get_config()
        del config["truncate"]
        return config
