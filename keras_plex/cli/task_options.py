"""The options of what is measured, on which data, and how."""

import argparse
from collections.abc import Iterable
from typing import Any

from keras_plex.cli.reading import FILE_OPTIONS


class Default(int):
    """A number that nobody typed."""


# Option -> the arguments of `add_argument`.
TASK_OPTIONS: dict[str, dict[str, Any]] = {
    "--task": {
        "action": "append",
        "default": [],
        "metavar": "KIND",
        "help": "what to measure, or the name of a benchmark; more than once "
        "if you like; see `keras-plex tasks` (default: all for which --data "
        "suffices and that adapt nothing)",
    },
    "--data": {
        "nargs": "+",
        "action": "extend",
        "default": [],
        "metavar": "ROLE=PATH",
        "help": "test=PATH, train=PATH, ood.NAME=PATH, shifted.NAME=PATH",
    },
    "--option": {
        "nargs": "+",
        "action": "extend",
        "default": [],
        "metavar": "NAME=VALUE",
        "help": "of tasks, lists with commas: corruptions=fog,contrast",
    },
    "--tasks": {
        "metavar": "FILE",
        "help": "a TOML or JSON file of tasks, in place of --task, --data and "
        "--option",
    },
    **FILE_OPTIONS,
    "--data-dir": {
        "metavar": "DIR",
        "help": "where data of benchmarks lie",
    },
    "--download": {
        "action": "store_true",
        "help": "download the data of benchmarks that are not there",
    },
}

MEASURING_OPTIONS: dict[str, dict[str, Any]] = {
    "--batch-size": {
        "type": int,
        "default": Default(32),
        "help": "default: %(default)s",
    },
    "--max-examples": {
        "type": int,
        "metavar": "N",
        "help": "of each set, the first ones",
    },
    "--resamples": {
        "type": int,
        "default": Default(200),
        "metavar": "N",
        "help": "of the bootstrap, 0 for no intervals (default: %(default)s)",
    },
    "--seed": {
        "type": int,
        "default": Default(0),
        "help": "of the bootstrap (default: %(default)s)",
    },
}


def add_task_arguments(parser: argparse.ArgumentParser) -> None:
    """`--task`, `--data`, `--tasks` and how files are read."""
    _add(parser, TASK_OPTIONS)


def add_measuring_arguments(parser: argparse.ArgumentParser) -> None:
    """`--batch-size`, `--max-examples`, `--resamples`, `--seed`."""
    _add(parser, MEASURING_OPTIONS)


def measuring_options(arguments: argparse.Namespace) -> dict[str, Any]:
    """What `add_measuring_arguments` added, for `evaluate`."""
    names = map(_argument, MEASURING_OPTIONS)
    return {name: getattr(arguments, name) for name in names}


def which_typed(
    arguments: argparse.Namespace, options: Iterable[str]
) -> list[str]:
    """Those of the options that were typed."""
    return [
        option
        for option in options
        if _is_typed(getattr(arguments, _argument(option)))
    ]


def _is_typed(value: Any) -> bool:
    is_empty = value is None or value is False or value == []
    return not (is_empty or isinstance(value, Default))


def _argument(option: str) -> str:
    return option.removeprefix("--").replace("-", "_")


def _add(
    parser: argparse.ArgumentParser, options: dict[str, dict[str, Any]]
) -> None:
    for name, settings in options.items():
        parser.add_argument(name, **settings)
