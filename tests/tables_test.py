"""A name that is not in a table gets an answer that helps."""

import pytest

from keras_plex.tables import lookup

TABLE = {"one": 1, "two": 2}


def test_a_name_gives_its_value():
    assert lookup(TABLE, "two", "number") == 2


@pytest.mark.parametrize("name", ["three", "", None, 1, ["one"]])
def test_the_error_lists_what_exists(name):
    with pytest.raises(ValueError) as error:
        lookup(TABLE, name, "number")
    assert str(error.value) == (
        f"Unknown number: {name!r}. Available: 'one', 'two'."
    )
