"""What holds for all corruptions of texts."""

import numpy as np
import pytest

from keras_plex.data import TEXT_CORRUPTIONS
from keras_plex.data import corrupt_texts

TEXTS = [
    "What is the balance of my savings account, please?",
    "book a table for two",
    "I",
    "",
    "   ",
    "naïve café, 100 %",
] * 20

each_corruption = pytest.mark.parametrize("name", TEXT_CORRUPTIONS)


@each_corruption
def test_a_text_is_corrupted_alike_in_any_batch(name):
    whole = corrupt_texts(TEXTS, name, 3, seed=2)
    assert corrupt_texts(TEXTS, name, 3, seed=2) == whole
    assert corrupt_texts(TEXTS[50:], name, 3, seed=2, offset=50) == whole[50:]
    assert corrupt_texts(TEXTS, name, 3, seed=3) != whole
    assert whole[0] != whole[6] or whole[0] != whole[12]


@each_corruption
def test_only_empty_texts_are_empty(name):
    for severity in range(1, 6):
        found = corrupt_texts(TEXTS, name, severity)
        assert [bool(text.strip()) for text in found] == [
            bool(text.strip()) for text in TEXTS
        ]
        assert [text == "" for text in found] == [text == "" for text in TEXTS]


@each_corruption
def test_more_texts_change_with_each_severity(name):
    sentences = ["tell me how much money there is, Sir"] * 300
    shares = [
        np.mean([text != sentences[0] for text in found])
        for found in (
            corrupt_texts(sentences, name, severity) for severity in range(1, 6)
        )
    ]
    assert 0.2 < shares[0] < shares[1] < shares[2] <= shares[4]


@each_corruption
def test_lists_tuples_and_arrays_come_back_as_they_came(name):
    expected = corrupt_texts(TEXTS, name, 5)
    assert isinstance(expected, list)
    assert corrupt_texts(tuple(TEXTS), name, 5) == tuple(expected)
    for dtype in (object, str, np.dtypes.StringDType()):
        found = corrupt_texts(np.array(TEXTS, dtype=dtype), name, 5)
        assert isinstance(found, np.ndarray)
        assert found.dtype.kind == np.array(TEXTS, dtype=dtype).dtype.kind
        # An array of fixed width ends where its spaces do not.
        assert found.tolist() == expected


@pytest.mark.parametrize(
    "texts, message",
    [
        ("one text", "put a single text into a list. Received: type str"),
        (np.array([["a"]]), r"Received: shape=\(1, 1\)"),
        ([b"bytes"], r"decode bytes .* Received: texts\[0\]=b'bytes'"),
        (["a", None], r"texts\[1\]=None"),
    ],
)
def test_bad_texts_are_an_error(texts, message):
    with pytest.raises(ValueError, match=message):
        corrupt_texts(texts, "typos", 1)


def test_bad_names_severities_and_seeds_are_an_error():
    with pytest.raises(ValueError, match="Available: 'typos', 'word_dropout'"):
        corrupt_texts(["a"], "fog", 1)
    with pytest.raises(ValueError, match="`severity` must be"):
        corrupt_texts(["a"], "typos", 6)
    with pytest.raises(ValueError, match="`seed` must be"):
        corrupt_texts(["a"], "typos", 1, seed=-1)
