"""Small models of the two kinds that people convert, and how they learn."""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import keras
import keras_hub
import numpy as np
import t5_clinc150
from problems import Problem

import keras_plex

WORDS = 4000


@dataclasses.dataclass(frozen=True)
class Recipe:
    """How a kind of network is made and trained.

    Args:
        make: a new network for a problem.
        make_encoder: gives the function from raw inputs to the network's.
        optimizer: from a learning rate.
        learning_rate: of the stock model.
        further_learning_rate: of all that start from its weights.
        epochs: by name of the problem.
        further_epochs: likewise.
        batch_size: of training.
    """

    make: Callable[[Problem, Callable], keras.Model]
    make_encoder: Callable[[Problem], Callable[[Any], Any]]
    optimizer: Callable[[float], keras.optimizers.Optimizer]
    learning_rate: float
    further_learning_rate: float
    epochs: dict[str, int]
    further_epochs: dict[str, int]
    batch_size: int


def make_vit(
    problem: Problem, encode: Callable, blocks: int = 4
) -> keras.Model:
    """A Vision Transformer of width 64, on 16 patches."""
    shape = problem.train[0].shape[1:]
    backbone = keras_hub.models.ViTBackbone(
        image_shape=shape,
        patch_size=shape[0] // 4,
        num_layers=blocks,
        num_heads=4,
        hidden_dim=64,
        mlp_dim=128,
        dropout_rate=0.1,
    )
    return keras_hub.models.ViTImageClassifier(
        backbone=backbone, num_classes=problem.num_classes
    )


class Tokens:
    """From strings to what a T5 classifier without preprocessor takes."""

    def __init__(self, problem: Problem):
        texts = problem.train[0].tolist()
        tokenizer = keras_hub.models.T5Tokenizer(
            t5_clinc150.learn_vocabulary(texts, vocabulary_size(texts))
        )
        self.size = tokenizer.vocabulary_size()
        length = 24 if problem.num_classes > 3 else 48
        self.preprocessor = keras_plex.models.T5TextClassifierPreprocessor(
            tokenizer, sequence_length=length
        )

    def __call__(self, texts: np.ndarray) -> dict[str, np.ndarray]:
        tokens = self.preprocessor(texts.tolist())
        return {k: keras.ops.convert_to_numpy(v) for k, v in tokens.items()}


def vocabulary_size(texts: list[str]) -> int:
    """As many pieces as a small corpus gives."""
    return min(
        WORDS, len({word for text in texts for word in text.split()}) // 2
    )


def make_t5(problem: Problem, encode: Tokens) -> keras.Model:
    """A T5 of 2 and 2 layers and width 128."""
    backbone = keras_hub.models.T5Backbone(
        vocabulary_size=encode.size,
        num_layers=2,
        num_heads=4,
        hidden_dim=128,
        intermediate_dim=256,
        dropout=0.1,
    )
    return keras_plex.models.T5Classifier(
        backbone, num_classes=problem.num_classes
    )


IMAGE_EPOCHS = {
    "fashion_mnist": 10,
    "fashion_mnist_open_set": 10,
    "fashion_mnist_deep": 10,
    "cifar10": 10,
    "cifar10n": 10,
    "cifar10n_checked": 10,
    "cifar10_open_set": 10,
    "cifar10_large": 15,
}

IMAGE = Recipe(
    make_vit,
    lambda problem: lambda images: images,
    keras.optimizers.AdamW,
    1e-3,
    3e-4,
    IMAGE_EPOCHS,
    dict.fromkeys(IMAGE_EPOCHS, 3),
    batch_size=64,
)

NETWORKS: dict[str, Recipe] = {
    "image": IMAGE,
    # As many blocks as a ViT-Base has.
    "image_deep": dataclasses.replace(
        IMAGE, make=functools.partial(make_vit, blocks=12)
    ),
    # As T5 was: AdamW learns little in as many epochs.
    "text": Recipe(
        make_t5,
        Tokens,
        keras.optimizers.Adafactor,
        1e-2,
        3e-3,
        {"clinc150": 9, "sst2": 4, "nli": 12},
        {"clinc150": 3, "sst2": 2, "nli": 3},
        batch_size=128,
    ),
}
