"""What nothing would read is refused, and what something reads is not."""

import argparse

import numpy as np
import pytest

from keras_plex.cli.data_files import LoadedData
from keras_plex.cli.task_options import add_task_arguments
from keras_plex.cli.unread import USES
from keras_plex.cli.unread import check_reading
from keras_plex.cli.unread import check_used
from keras_plex.cli.unread import check_words

NUMBERS = LoadedData(np.ones((2, 3)), np.array([0, 1]))
NAMED = LoadedData(np.ones((2, 3)), np.array([0, 1]), has_names=True)
IMAGES = LoadedData([], is_batched=True)


@pytest.mark.parametrize("word", ["test", "ood.svhn", "shifted.a.b", "else"])
def test_a_role_with_as_many_names_as_it_takes_is_right(word):
    check_words({word: "a.npz"})


@pytest.mark.parametrize(
    "word, expected",
    [
        ("ood", "ood.NAME"),
        ("ood.", "ood.NAME"),
        ("shifted", "shifted.NAME"),
        ("test.x", "test"),
        ("train.", "train"),
    ],
)
def test_a_name_too_many_or_too_few_is_refused(word, expected):
    message = f"^--data takes {expected}=PATH. Received: {word}=a.npz$"
    with pytest.raises(ValueError, match=message):
        check_words({word: "a.npz"})


def test_what_no_task_knows_is_refused():
    kinds = ["calibration", "open_set_recognition"]
    check_used(kinds, {"test": "a", "ood.x": "b"}, {"scores": ["msp"]})
    with pytest.raises(ValueError, match="reads 'shifted.x'"):
        check_used(kinds, {"shifted.x": "a"}, {})
    with pytest.raises(ValueError, match="has the option 'budget'"):
        check_used(kinds, {}, {"budget": 3})


@pytest.mark.parametrize(
    "option, loaded, kinds, is_read",
    [
        ("--classes", [NUMBERS], ["calibration"], False),
        ("--classes", [NUMBERS, NAMED], ["calibration"], True),
        ("--image-size", [NAMED], ["calibration/cifar10"], False),
        ("--image-size", [NUMBERS, IMAGES], ["calibration"], True),
        ("--image-range", [NAMED], ["calibration"], False),
        ("--image-range", [IMAGES], ["calibration"], True),
        ("--image-range", [], ["calibration/cifar10"], True),
        ("--image-range", [], ["open_set/clinc_oos"], False),
    ],
)
def test_an_option_is_for_data_that_are_there(option, loaded, kinds, is_read):
    parser = argparse.ArgumentParser()
    add_task_arguments(parser)
    arguments = parser.parse_args([option, "1,2"])
    if is_read:
        check_reading(arguments, loaded, kinds)
    else:
        with pytest.raises(ValueError, match=f"^{option} is for "):
            check_reading(arguments, loaded, kinds)


def test_without_options_nothing_is_refused():
    parser = argparse.ArgumentParser()
    add_task_arguments(parser)
    assert set(USES) <= set(parser.format_help().split())
    check_reading(parser.parse_args([]), [NUMBERS], ["calibration"])
