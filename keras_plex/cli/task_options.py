"""The options of what is measured, on which data, and how."""

import argparse
from typing import Any

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
    "--classes": {
        "metavar": "A,B,...",
        "help": "names of classes in the order of the model's outputs, or a "
        "file with one on each line",
    },
    "--image-size": {
        "metavar": "HxW",
        "help": "of images (default: that of the model's input)",
    },
    "--image-range": {
        "metavar": "BLACK,WHITE",
        "help": "what the model takes (default: 0,255 for images in folders, "
        "0,1 for benchmarks)",
    },
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
        "default": 32,
        "help": "default: %(default)s",
    },
    "--max-examples": {
        "type": int,
        "metavar": "N",
        "help": "of each set, the first ones",
    },
    "--resamples": {
        "type": int,
        "default": 200,
        "metavar": "N",
        "help": "of the bootstrap, 0 for no intervals (default: %(default)s)",
    },
    "--seed": {
        "type": int,
        "default": 0,
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
    names = (one.removeprefix("--") for one in MEASURING_OPTIONS)
    return {
        name: getattr(arguments, name)
        for name in (one.replace("-", "_") for one in names)
    }


def _add(
    parser: argparse.ArgumentParser, options: dict[str, dict[str, Any]]
) -> None:
    for name, settings in options.items():
        parser.add_argument(name, **settings)
