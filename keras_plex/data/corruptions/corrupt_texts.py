"""Texts as people in a hurry write them."""

from collections.abc import Callable
from typing import TypeVar

import numpy as np

from keras_plex.data.corruptions import text
from keras_plex.data.corruptions.randomness import check_example_seed
from keras_plex.data.corruptions.randomness import example_generators
from keras_plex.data.corruptions.severities import check_severity
from keras_plex.tables import lookup

Texts = TypeVar("Texts", list[str], tuple[str, ...], np.ndarray)

# Name -> function of a text, a severity and a generator.
TextCorruption = Callable[[str, int, np.random.Generator], str]
TEXT_CORRUPTIONS: dict[str, TextCorruption] = {
    "typos": text.typos,
    "word_dropout": text.word_dropout,
    "casing": text.casing,
}


def corrupt_texts(
    texts: Texts,
    name: str,
    severity: int,
    *,
    seed: int = 0,
    offset: int = 0,
) -> Texts:
    """A corrupted copy of texts: same labels, a list or an array as before.

    No standard sets the severities of texts: these are ours, shares of letters
    or words that stand at the top of `text.py`. A text that is not empty does
    not become so. The randomness of a text depends on `seed`, `name`,
    `severity` and its place in the data set, and so not on its batch.

    Args:
        texts: a list, a tuple or a one-dimensional array of strings.
        name: a key of `TEXT_CORRUPTIONS`.
        severity: from 1, mild, to 5, strong.
        seed: int, of the randomness. Defaults to `0`.
        offset: the place in the data set of the first text. For batches: how
            many texts came before. Defaults to `0`.

    Example:

    >>> texts = ["what is the balance of my savings account"]
    >>> corrupt_texts(texts, "word_dropout", severity=4)
    ['is the balance of my account']

    Reference:
        Belinkov and Bisk, 2018, [Synthetic and natural noise both break neural
        machine translation](https://arxiv.org/abs/1711.02173), for typos.
    """
    corruption = lookup(TEXT_CORRUPTIONS, name, "text corruption")
    check_severity(severity)
    check_example_seed(seed, offset)
    _check_texts(texts)
    generators = example_generators(
        int(seed),
        name,
        int(severity),
        range(int(offset), int(offset) + len(texts)),
    )
    corrupted = [
        corruption(str(text), int(severity), generator)
        for text, generator in zip(texts, generators, strict=True)
    ]
    if isinstance(texts, np.ndarray):
        # A longer text needs a wider dtype than that of `texts`.
        dtype = str if texts.dtype.kind == "U" else texts.dtype
        return np.array(corrupted, dtype=dtype)
    return type(texts)(corrupted)


def _check_texts(texts: list[str] | tuple[str, ...] | np.ndarray) -> None:
    is_array = isinstance(texts, np.ndarray) and texts.ndim == 1
    if not is_array and not isinstance(texts, (list, tuple)):
        received = f"type {type(texts).__name__}"
        if isinstance(texts, np.ndarray):
            received = f"shape={texts.shape}"
        raise ValueError(
            "`texts` must be a list, a tuple or a one-dimensional array of "
            f"strings; put a single text into a list. Received: {received}"
        )
    for place, one in enumerate(texts):
        if not isinstance(one, str):
            raise ValueError(
                "`texts` must hold strings; decode bytes with "
                f'`.decode("utf-8")`. Received: texts[{place}]={one!r}'
            )
