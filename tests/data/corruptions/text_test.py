"""Each text corruption does what it says, as often as it says."""

import numpy as np
import pytest

from keras_plex.data.corruptions.text import CASING
from keras_plex.data.corruptions.text import NEIGHBOURS
from keras_plex.data.corruptions.text import TYPOS
from keras_plex.data.corruptions.text import WORD_DROPOUT
from keras_plex.data.corruptions.text import casing
from keras_plex.data.corruptions.text import typos
from keras_plex.data.corruptions.text import word_dropout


def generator():
    return np.random.default_rng(0)


def test_neighbours_are_those_of_the_keyboard():
    assert set(NEIGHBOURS["g"]) == set("tyfhvb")
    assert set(NEIGHBOURS["p"]) == set("ol")
    assert len(NEIGHBOURS) == 26
    for letter, near in NEIGHBOURS.items():
        assert all(letter in NEIGHBOURS[other] for other in near)


@pytest.mark.parametrize("severity", range(1, 6))
def test_typos_hit_their_share_of_letters(severity):
    # No typo of an a gives another one, and between blanks none is a swap.
    found = typos("a " * 20000, severity, generator()).split(" ")
    wrong = np.mean([word != "a" for word in found[:-1]])
    assert wrong == pytest.approx(0.75 * TYPOS[severity - 1], rel=0.1)


def test_typos_are_of_four_kinds_equally_often():
    found = typos("ap " * 20000, 1, generator()).split(" ")[:-1]
    near = {"replaced": 0, "inserted": 0, "left out": 0, "swapped": 0}
    for word in found:
        if word == "pa":
            near["swapped"] += 1
        elif len(word) == 1:
            near["left out"] += 1
        elif len(word) == 3:
            near["inserted"] += 1
        elif word != "ap":
            near["replaced"] += 1
    # A p before a blank has nothing to change places with.
    near["swapped"] *= 2
    counts = np.array(list(near.values()))
    np.testing.assert_allclose(counts / counts.mean(), 1, atol=0.2)


def test_typos_keep_capitals_and_leave_other_signs():
    found = typos("G" * 2000, 5, generator())
    assert set(found) <= set("GTYFHVB")
    assert typos("1 + 2 = 3, é!", 5, generator()) == "1 + 2 = 3, é!"


@pytest.mark.parametrize("severity", range(1, 6))
def test_word_dropout_leaves_its_share_out_and_keeps_order(severity):
    words = [str(i) for i in range(5000)]
    found = word_dropout(" ".join(words), severity, generator()).split(" ")
    left = 1 - WORD_DROPOUT[severity - 1]
    assert len(found) == pytest.approx(5000 * left, rel=0.05)
    assert [int(word) for word in found] == sorted(int(word) for word in found)


def test_word_dropout_keeps_a_word():
    for seed in range(50):
        found = word_dropout("two words", 5, np.random.default_rng(seed))
        assert found in ("two words", "two", "words")


@pytest.mark.parametrize("severity", range(1, 6))
def test_casing_changes_its_share_of_words_and_no_letter(severity):
    text = "some Words HERE " * 2000
    found = casing(text, severity, generator())
    assert found.lower() == text.lower()
    changed = np.mean(
        [a != b for a, b in zip(found.split(), text.split(), strict=True)]
    )
    assert changed == pytest.approx(CASING[severity - 1], rel=0.1)


def test_casing_leaves_numbers():
    assert casing("42 %", 5, generator()) == "42 %"
