"""Typos, words that are missing, letters in the wrong case."""

import re
from collections.abc import Callable

import numpy as np

# By severity: the share of letters that go wrong, or of words.
TYPOS = (0.02, 0.05, 0.1, 0.15, 0.25)
WORD_DROPOUT = (0.05, 0.1, 0.2, 0.3, 0.5)
CASING = (0.1, 0.25, 0.5, 0.75, 1.0)

# A key's neighbours are those beside it, and the nearest of the rows around.
KEYBOARD = ("qwertyuiop", "asdfghjkl", "zxcvbnm")


def typos(text: str, severity: int, generator: np.random.Generator) -> str:
    """Hits wrong keys on an English keyboard.

    A letter goes wrong in one of four ways, equally often: a neighbouring key
    is hit instead of it or after it, it is left out, or it changes places with
    the letter that follows.
    """
    letters = list(text)
    wrong = generator.random(len(letters)) < TYPOS[severity - 1]
    for place in np.flatnonzero(wrong).tolist():
        if letters[place].lower() in NEIGHBOURS:
            kind = MISTAKES[generator.integers(len(MISTAKES))]
            kind(letters, place, generator)
    typed = "".join(letters)
    return typed if typed.strip() else text


def _replace(letters: list[str], place: int, generator: np.random.Generator):
    letters[place] = _neighbour(letters[place], generator)


def _insert(letters: list[str], place: int, generator: np.random.Generator):
    letters[place] += _neighbour(letters[place], generator)


def _leave_out(letters: list[str], place: int, generator: np.random.Generator):
    letters[place] = ""


def _swap(letters: list[str], place: int, generator: np.random.Generator):
    after = place + 1
    if after < len(letters) and letters[after].isalpha():
        letters[place], letters[after] = letters[after], letters[place]


Mistake = Callable[[list[str], int, np.random.Generator], None]
MISTAKES: tuple[Mistake, ...] = (_replace, _insert, _leave_out, _swap)


def _neighbour(letter: str, generator: np.random.Generator) -> str:
    near = NEIGHBOURS[letter.lower()]
    found = near[generator.integers(len(near))]
    return found.upper() if letter.isupper() else found


def _keyboard_neighbours() -> dict[str, str]:
    """Each letter's neighbours, in one string."""
    # A row begins half a key right of the one above.
    places = {
        letter: complex(column + row / 2, row)
        for row, line in enumerate(KEYBOARD)
        for column, letter in enumerate(line)
    }
    return {
        letter: "".join(
            other
            for other, there in places.items()
            if other != letter and abs(there - here) < 1.2
        )
        for letter, here in places.items()
    }


NEIGHBOURS = _keyboard_neighbours()


def word_dropout(
    text: str, severity: int, generator: np.random.Generator
) -> str:
    """Leaves words out, and at least one in."""
    # A word goes with the space that follows it.
    words = re.findall(r"\S+\s*", text)
    draws = generator.random(len(words))
    kept = [
        word
        for word, draw in zip(words, draws, strict=True)
        if draw >= WORD_DROPOUT[severity - 1]
    ]
    if not kept and words:
        kept = [words[int(np.argmax(draws))]]
    before = text[: len(text) - len(text.lstrip())]
    return before + "".join(kept).rstrip() if kept else text


def casing(text: str, severity: int, generator: np.random.Generator) -> str:
    """Writes words in small letters, in capitals, or beginning with one."""

    def recased(match: re.Match) -> str:
        word = match.group()
        hit, choice = generator.random(2)
        others = [
            other
            for other in (word.lower(), word.upper(), word.capitalize())
            if other != word
        ]
        if not others or hit >= CASING[severity - 1]:
            return word
        return others[int(choice * len(others))]

    return re.sub(r"\S+", recased, text)
