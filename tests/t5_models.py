"""Tiny T5 models of KerasHub's."""

import io

import keras
import keras_hub
import sentencepiece

import keras_plex


def t5_backbone(num_layers: int = 2, **arguments) -> keras.Model:
    """Width 8, two heads, gated feed-forward parts, twelve words."""
    return keras_hub.models.T5Backbone(
        **{
            "vocabulary_size": 12,
            "num_layers": num_layers,
            "num_heads": 2,
            "hidden_dim": 8,
            "intermediate_dim": 10,
            "dropout": 0.0,
            **arguments,
        }
    )


def t5_classifier(num_layers: int = 1, **arguments) -> keras.Model:
    """Three classes, read from the decoder's first state."""
    return keras_plex.models.T5Classifier(
        t5_backbone(num_layers), num_classes=3, **arguments
    )


def t5_preprocessor(sequence_length: int = 6):
    """Knows a handful of words."""
    file = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(["the quick brown fox sees the lazy dog"]),
        model_writer=file,
        model_type="WORD",
        vocab_size=10,
        bos_id=-1,
        pad_id=0,
        eos_id=1,
        unk_id=2,
        pad_piece="<pad>",
        eos_piece="</s>",
        unk_piece="<unk>",
        minloglevel=2,
    )
    return keras_plex.models.T5TextClassifierPreprocessor(
        keras_hub.models.T5Tokenizer(file.getvalue()), sequence_length
    )
