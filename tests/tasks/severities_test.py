"""Names tell which sets are one shift."""

import pytest

from keras_plex.tasks.severities import by_shift
from keras_plex.tasks.severities import is_complete
from keras_plex.tasks.severities import split_severity


@pytest.mark.parametrize(
    "name, expected",
    [
        ("fog/3", ("fog", 3)),
        ("camera/b/1", ("camera/b", 1)),
        ("fog/6", ("fog/6", None)),
        ("fog/03", ("fog/03", None)),
        ("/3", ("/3", None)),
        ("5", ("5", None)),
        ("imagenet_a", ("imagenet_a", None)),
    ],
)
def test_severity_is_a_last_part_from_1_to_5(name, expected):
    assert split_severity(name) == expected


def test_sets_of_one_shift_are_together_in_order():
    names = ["fog/2", "own", "snow/1", "fog/1"]
    expected = {"fog": ["fog/2", "fog/1"], "own": ["own"], "snow": ["snow/1"]}
    assert by_shift(names) == expected


def test_a_whole_and_its_severities_are_refused():
    with pytest.raises(ValueError, match="'fog' as a whole or by severity"):
        by_shift(["fog/1", "fog"])


@pytest.mark.parametrize(
    "names, expected",
    [
        ([], False),
        (["fog"], True),
        (["fog/1", "fog/5"], False),
        ([f"fog/{severity}" for severity in range(1, 6)], True),
    ],
)
def test_all_five_or_the_whole_are_complete(names, expected):
    assert is_complete("fog", names) == expected
