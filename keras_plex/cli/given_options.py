"""Options of a function: what is not given is left to the function."""

import argparse
import contextlib
import inspect
import re
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from keras_plex.cli.typed_values import parse_value
from keras_plex.cli.typed_values import split_pairs

# Option -> the arguments of `add_argument`; `dest` is the function's argument
# where its name is another.
Options = Mapping[str, dict[str, Any]]

# An argument in an error of the package, perhaps with a value.
NAMED = re.compile(r"`(\w+)(?:=([^`]*))?`")

WORDS = {"true": True, "false": False, "none": None}


def add_options(
    parser: argparse.ArgumentParser, options: Options, function: Callable
) -> None:
    """Adds the options of a function; --help shows its own defaults."""
    parameters = inspect.signature(function).parameters
    for option, settings in options.items():
        default = parameters[_argument_of(option, settings)].default
        said = settings["help"]
        if default is not None and "action" not in settings:
            said += f" (default: {default})"
        parser.add_argument(
            option, **{**settings, "default": argparse.SUPPRESS, "help": said}
        )


def given_arguments(
    arguments: argparse.Namespace, options: Options
) -> dict[str, Any]:
    """Those that were typed, by the name that the function has for them."""
    names = map(_argument_of, options, options.values())
    given = vars(arguments)
    return {name: given[name] for name in names if name in given}


def typed_pairs(pairs: Sequence[str], option: str) -> dict[str, Any]:
    """`["a=1"]` as a dict of numbers, words, `True`, `False` and `None`.

    Example:

    >>> typed_pairs(["num_features=512", "momentum=none"], "--head-option")
    {'num_features': 512, 'momentum': None}
    """
    return {
        name: WORDS[value.lower()]
        if value.lower() in WORDS
        else parse_value(value)
        for name, value in split_pairs(pairs, option).items()
    }


@contextlib.contextmanager
def naming(options: Options) -> Iterator[None]:
    """Puts options in the place of arguments in what an error says."""
    by_argument = {_argument_of(*item): item for item in options.items()}

    def as_typed(found: re.Match) -> str:
        argument, value = found.groups()
        if argument not in by_argument:
            return found.group()
        option, settings = by_argument[argument]
        if value == "None":
            return f"no {option}"
        if not value or "action" in settings:
            return option
        return f"{option} {value.strip('[]').strip(chr(34) + chr(39))}"

    try:
        yield
    except OSError as error:
        raise type(error)(NAMED.sub(as_typed, str(error))) from error
    except ValueError as error:
        raise ValueError(NAMED.sub(as_typed, str(error))) from error


def _argument_of(option: str, settings: dict[str, Any]) -> str:
    name = option.removeprefix("--").replace("-", "_")
    return settings.get("dest", name)
