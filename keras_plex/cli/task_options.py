"""The options of what is measured, on which data, and how."""

import argparse
from typing import Any


def add_task_arguments(parser: argparse.ArgumentParser) -> None:
    """`--task`, `--data`, `--tasks` and how files are read."""
    parser.add_argument(
        "--task",
        action="append",
        default=[],
        metavar="KIND",
        help="what to measure, or the name of a benchmark; more than once if "
        "you like; see `keras-plex tasks` (default: all for which --data "
        "suffices)",
    )
    parser.add_argument(
        "--data",
        nargs="+",
        action="extend",
        default=[],
        metavar="ROLE=PATH",
        help="test=PATH, train=PATH, ood.NAME=PATH, shifted.NAME=PATH",
    )
    parser.add_argument(
        "--option",
        nargs="+",
        action="extend",
        default=[],
        metavar="NAME=VALUE",
        help="of tasks, lists with commas: corruptions=fog,contrast",
    )
    parser.add_argument(
        "--tasks",
        metavar="FILE",
        help="a TOML or JSON file of tasks, in place of --task and --data",
    )
    parser.add_argument(
        "--classes",
        metavar="A,B,...",
        help="names of classes in the order of the model's outputs, or a file "
        "with one on each line",
    )
    parser.add_argument(
        "--image-size",
        metavar="HxW",
        help="of images (default: that of the model's input)",
    )
    parser.add_argument(
        "--image-range",
        metavar="BLACK,WHITE",
        help="what the model takes (default: 0,255 for images in folders, "
        "0,1 for benchmarks)",
    )
    parser.add_argument(
        "--data-dir", metavar="DIR", help="where data of benchmarks lie"
    )
    parser.add_argument(
        "--download",
        action="store_true",
        help="download the data of benchmarks that are not there",
    )


def add_measuring_arguments(parser: argparse.ArgumentParser) -> None:
    """`--batch-size`, `--max-examples`, `--resamples`, `--seed`."""
    parser.add_argument(
        "--batch-size", type=int, default=32, help="default: %(default)s"
    )
    parser.add_argument(
        "--max-examples", type=int, help="of each set, the first ones"
    )
    parser.add_argument(
        "--resamples",
        type=int,
        default=200,
        help="of the bootstrap, 0 for no intervals (default: %(default)s)",
    )
    parser.add_argument(
        "--seed", type=int, default=0, help="of the bootstrap (default: 0)"
    )


def measuring_options(arguments: argparse.Namespace) -> dict[str, Any]:
    """What `add_measuring_arguments` added, for `evaluate`."""
    return {
        "batch_size": arguments.batch_size,
        "max_examples": arguments.max_examples,
        "resamples": arguments.resamples,
        "seed": arguments.seed,
    }
