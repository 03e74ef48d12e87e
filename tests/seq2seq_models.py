"""Tiny language models, the prompts they take, and a vocabulary for strings."""

import io

import keras
import keras_hub
import numpy as np

VOCABULARY = 13


def t5_backbone(**arguments) -> keras.Model:
    """A T5 of two encoder and three decoder layers, width 8."""
    sizes = {
        "vocabulary_size": VOCABULARY,
        "num_layers": 3,
        "num_heads": 2,
        "hidden_dim": 8,
        "intermediate_dim": 10,
        "dropout": 0.0,
    }
    return keras_hub.models.T5Backbone(**{**sizes, **arguments})


def t5_seq2seq_lm() -> keras.Model:
    return keras_hub.models.T5Seq2SeqLM(t5_backbone())


def t5_gated() -> keras.Model:
    backbone = t5_backbone(
        use_gated_activation=True,
        activation="gelu",
        tie_embedding_weights=False,
    )
    return keras_hub.models.T5Seq2SeqLM(backbone)


def t5gemma() -> keras.Model:
    sides = {}
    for side in ("encoder", "decoder"):
        sides |= {
            f"{side}_hidden_dim": 8,
            f"{side}_intermediate_dim": 8,
            f"{side}_num_layers": 2,
            f"{side}_num_attention_heads": 2,
            f"{side}_num_key_value_heads": 1,
            f"{side}_head_dim": 4,
            f"{side}_layer_types": ["full_attention"] * 2,
        }
    backbone = keras_hub.models.T5GemmaBackbone(
        VOCABULARY,
        sliding_window=4,
        cross_attention_hidden_size=8,
        **sides,
    )
    return keras_hub.models.T5GemmaSeq2SeqLM(backbone)


def bart() -> keras.Model:
    return keras_hub.models.BartSeq2SeqLM(
        keras_hub.models.BartBackbone(
            VOCABULARY, 2, 2, 8, 8, dropout=0.0, max_sequence_length=12
        )
    )


def gpt2() -> keras.Model:
    return keras_hub.models.GPT2CausalLM(
        keras_hub.models.GPT2Backbone(
            VOCABULARY, 3, 2, 8, 8, dropout=0.0, max_sequence_length=12
        )
    )


# Those whose prompts are tiled when they write.
TILED = {"t5gemma": t5gemma, "bart": bart, "gpt2": gpt2}


def prompts_for(
    model: keras.Model, lengths: tuple[int, ...] = (1, 2), length: int = 8
) -> dict[str, np.ndarray]:
    """Token ids: an input text if there is one, and what is written so far.

    Args:
        model: a language model.
        lengths: how many tokens each example has already.
        length: of the sequences.
    """
    generator = np.random.default_rng(2)
    count = len(lengths)
    written = generator.integers(2, VOCABULARY, size=(count, length))
    mask = np.arange(length) < np.array(lengths)[:, None]
    written = np.where(mask, written, 0).astype("int32")
    if "token_ids" in model.input:
        return {"token_ids": written, "padding_mask": mask}
    texts = generator.integers(2, VOCABULARY, size=(count, 5))
    seen = np.ones((count, 5), bool)
    seen[-1, -2:] = False  # one text is shorter
    return {
        "encoder_token_ids": texts.astype("int32"),
        "encoder_padding_mask": seen,
        "decoder_token_ids": written,
        "decoder_padding_mask": mask,
    }


def tokens_of(x: dict[str, np.ndarray]) -> np.ndarray:
    """The written tokens of prompts or of what `generate` returns."""
    name = "token_ids" if "token_ids" in x else "decoder_token_ids"
    return np.asarray(x[name])


SENTENCES = ["the quick brown fox", "the earth is round", "a fox is a fox"]


def t5_preprocessor() -> keras.layers.Layer:
    """With a vocabulary of pieces trained on `SENTENCES`."""
    import sentencepiece

    proto = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(SENTENCES),
        model_writer=proto,
        vocab_size=25,
        model_type="unigram",
        pad_id=0,
        eos_id=1,
        unk_id=2,
        bos_id=-1,
        pad_piece="<pad>",
        eos_piece="</s>",
        unk_piece="<unk>",
        minloglevel=2,
    )
    tokenizer = keras_hub.models.T5Tokenizer(proto=proto.getvalue())
    return keras_hub.models.T5Seq2SeqLMPreprocessor(
        tokenizer, encoder_sequence_length=10, decoder_sequence_length=9
    )


def t5_with_strings() -> keras.Model:
    """A T5 that takes strings."""
    preprocessor = t5_preprocessor()
    size = preprocessor.tokenizer.vocabulary_size()
    return keras_hub.models.T5Seq2SeqLM(
        t5_backbone(vocabulary_size=size), preprocessor=preprocessor
    )
