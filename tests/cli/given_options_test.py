"""Only what was typed reaches a function, and errors speak of options."""

import argparse

import pytest

from keras_plex.cli.given_options import add_options
from keras_plex.cli.given_options import given_arguments
from keras_plex.cli.given_options import naming
from keras_plex.cli.given_options import typed_pairs

OPTIONS = {
    "--ensemble-size": {"type": int, "help": "of it"},
    "--no-heads": {"dest": "heads", "action": "store_false", "help": "none"},
    "--layers": {"nargs": "+", "help": "which"},
}


def build(ensemble_size=3, *, heads=True, layers=None):
    """Has such options."""


def parser_of(function):
    parser = argparse.ArgumentParser()
    add_options(parser, OPTIONS, function)
    return parser


def given(*typed):
    return given_arguments(parser_of(build).parse_args(typed), OPTIONS)


def test_the_defaults_are_the_functions():
    shown = parser_of(build).format_help()
    assert "of it (default: 3)" in shown and shown.count("default") == 1
    with pytest.raises(KeyError, match="layers"):
        parser_of(lambda ensemble_size, heads: None)


def test_what_is_not_typed_is_not_there():
    assert given() == {}
    assert given("--ensemble-size", "0") == {"ensemble_size": 0}
    assert given("--no-heads") == {"heads": False}


def test_values_are_numbers_or_words():
    pairs = ["a=1", "b=None", "c=true", "d=zero", "e=0.5"]
    assert typed_pairs(pairs, "--option") == {
        "a": 1,
        "b": None,
        "c": True,
        "d": "zero",
        "e": 0.5,
    }
    with pytest.raises(ValueError, match="--option takes NAME=VALUE"):
        typed_pairs(["a"], "--option")


@pytest.mark.parametrize(
    "said, meant",
    [
        ("`ensemble_size` is 0", "--ensemble-size is 0"),
        ('`ensemble_size="all"`', "--ensemble-size all"),
        ("`ensemble_size=None` is it", "no --ensemble-size is it"),
        ("`heads=False` is it", "--no-heads is it"),
        ("`layers=[...]`", "--layers ..."),
        ("`others=1` and `fit`", "`others=1` and `fit`"),
    ],
)
def test_an_error_names_the_option(said, meant):
    for kind in (ValueError, FileExistsError):
        with pytest.raises(kind) as error, naming(OPTIONS):
            raise kind(said)
        assert str(error.value) == meant
