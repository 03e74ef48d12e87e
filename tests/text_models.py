"""Tiny text models of KerasHub: three blocks, width 8, eleven words."""

import keras
import keras_hub

CLASSES = 3
WORDS = 40

# Of every backbone here.
BACKBONE = {
    "vocabulary_size": WORDS,
    "num_layers": 3,
    "num_heads": 2,
    "hidden_dim": 8,
    "intermediate_dim": 8,
    "dropout": 0.0,
    "max_sequence_length": 8,  # as short as a dry run on JAX and PyTorch
}


def bert_backbone(**arguments) -> keras.Model:
    return keras_hub.models.BertBackbone(**{**BACKBONE, **arguments})


def bert(**arguments) -> keras.Model:
    return keras_hub.models.BertTextClassifier(
        bert_backbone(), CLASSES, **{"dropout": 0.0, **arguments}
    )


def bert_of_strings(num_classes: int = CLASSES) -> keras.Model:
    """Of one block, with its preprocessor, which knows three words."""
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b", "folder"]
    return keras_hub.models.BertTextClassifier(
        keras_hub.models.BertBackbone(
            len(words), 1, 2, 8, 8, max_sequence_length=12
        ),
        num_classes,
        preprocessor=keras_hub.models.BertTextClassifierPreprocessor(
            keras_hub.models.BertTokenizer(words), sequence_length=12
        ),
    )


def roberta(**arguments) -> keras.Model:
    """Its head has a hidden layer."""
    return keras_hub.models.RobertaTextClassifier(
        keras_hub.models.RobertaBackbone(**BACKBONE),
        CLASSES,
        hidden_dim=6,
        **arguments,
    )


def xlm_roberta() -> keras.Model:
    return keras_hub.models.XLMRobertaTextClassifier(
        keras_hub.models.XLMRobertaBackbone(**BACKBONE), CLASSES
    )


def distil_bert() -> keras.Model:
    return keras_hub.models.DistilBertTextClassifier(
        keras_hub.models.DistilBertBackbone(**BACKBONE), CLASSES, dropout=0.0
    )


def deberta_v3() -> keras.Model:
    """Its blocks also take embeddings of relative positions."""
    backbone = keras_hub.models.DebertaV3Backbone(**BACKBONE, bucket_size=4)
    return keras_hub.models.DebertaV3TextClassifier(backbone, CLASSES)


def albert() -> keras.Model:
    """Calls one block three times."""
    backbone = keras_hub.models.AlbertBackbone(**BACKBONE, embedding_dim=8)
    return keras_hub.models.AlbertTextClassifier(backbone, CLASSES, dropout=0.0)


def f_net() -> keras.Model:
    """Blocks mix tokens by a Fourier transform: no attention, no mask."""
    names = ("num_heads",)
    arguments = {k: v for k, v in BACKBONE.items() if k not in names}
    return keras_hub.models.FNetTextClassifier(
        keras_hub.models.FNetBackbone(**arguments), CLASSES, dropout=0.0
    )


def roformer_v2() -> keras.Model:
    """Takes no padding mask: the word 0 is none."""
    names = ("max_sequence_length",)
    arguments = {k: v for k, v in BACKBONE.items() if k not in names}
    backbone = keras_hub.models.RoformerV2Backbone(
        **arguments, head_size=4, max_wavelength=100
    )
    return keras_hub.models.RoformerV2TextClassifier(backbone, CLASSES)


def electra_backbone() -> keras.Model:
    """KerasHub has no classifier for it."""
    names = ("vocabulary_size",)
    arguments = {k: v for k, v in BACKBONE.items() if k not in names}
    return keras_hub.models.ElectraBackbone(WORDS, **arguments, embedding_dim=8)


def gpt2_backbone() -> keras.Model:
    """A decoder: no class token."""
    return keras_hub.models.GPT2Backbone(**BACKBONE)


# All that are converted block by block.
CLASSIFIERS = {
    "bert": bert,
    "roberta": roberta,
    "xlm_roberta": xlm_roberta,
    "distil_bert": distil_bert,
    "deberta_v3": deberta_v3,
    "f_net": f_net,
    "roformer_v2": roformer_v2,
}
