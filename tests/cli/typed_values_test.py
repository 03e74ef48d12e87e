"""What was typed becomes numbers, words and lists."""

import inspect
from collections.abc import Sequence

import pytest

from keras_plex.cli.typed_values import as_argument
from keras_plex.cli.typed_values import parse_value
from keras_plex.cli.typed_values import split_pairs


def test_values_are_numbers_words_or_lists():
    assert parse_value("3") == 3 and parse_value("0.5") == 0.5
    assert parse_value("fog") == "fog" and parse_value("1,") == [1]
    assert parse_value("a,2,0.5") == ["a", 2, 0.5]


def test_a_pair_may_hold_further_signs():
    assert split_pairs(["a=b=c", "d=1"], "--data") == {"a": "b=c", "d": "1"}


@pytest.mark.parametrize("pair", ["a", "=a", "a="])
def test_half_a_pair_is_refused(pair):
    with pytest.raises(ValueError, match="--data takes NAME=VALUE.*'.*a"):
        split_pairs([pair], "--data")


def test_a_list_is_made_where_one_is_taken():
    def task(
        shots: Sequence[int],
        kinds: str | Sequence[str] | None,
        value_range: tuple[float, float] | None,
        seed: int = 0,
    ):
        """Has arguments."""

    parameters = inspect.signature(task).parameters
    made = {name: as_argument(1, one) for name, one in parameters.items()}
    expected = {"shots": [1], "kinds": [1], "value_range": 1, "seed": 1}
    assert made == expected
    assert as_argument([1, 2], parameters["shots"]) == [1, 2]
