"""The whole story on real digits: convert, fit, monitor, compare, serve."""

import argparse
import importlib.util
import json
import pathlib

from rich.console import Console

from keras_plex.cli.demo_report import REPORT_FILE
from keras_plex.cli.demo_report import print_report
from keras_plex.cli.demo_report import write_report
from keras_plex.cli.demo_story import tell_story
from keras_plex.cli.errors import as_usage_errors

HELP = "see it work on real digits in about two minutes"

# Module -> why the demo needs it.
NEEDED = {
    "tensorflow": "to export and to serve",
    "keras_hub": "for the Vision Transformer",
    "matplotlib": "for the picture",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`--output`, `--seed`, `--epochs`, `--stock-epochs`."""
    parser.add_argument(
        "--output",
        default="keras-plex-demo",
        help="folder for the report and the models (default: %(default)s)",
    )
    parser.add_argument("--seed", type=int, default=0, help="default: 0")
    parser.add_argument(
        "--stock-epochs",
        type=int,
        default=40,
        help="epochs of the stock model before conversion (default: 40)",
    )
    parser.add_argument(
        "--epochs",
        type=int,
        default=15,
        help="further epochs of both models (default: 15)",
    )


def run(arguments: argparse.Namespace) -> None:
    """Runs the story and reports it, on paper and on the screen."""
    check_packages()
    with as_usage_errors():
        check_epochs(arguments.stock_epochs)
        check_epochs(arguments.epochs)
        folder = prepare_folder(arguments.output)
    # Progress goes to the error stream, so that the output can be piped.
    report = tell_story(
        folder,
        seed=arguments.seed,
        stock_epochs=arguments.stock_epochs,
        epochs=arguments.epochs,
        console=Console(stderr=True),
    )
    write_report(report, folder)
    if arguments.json:
        print(json.dumps(report.to_dict(), indent=2))
    else:
        print_report(report, folder, Console())


def check_packages() -> None:
    """Raises an `ImportError` with the pip line if a package is missing."""
    for name, purpose in NEEDED.items():
        if importlib.util.find_spec(name) is None:
            raise ImportError(
                f"The demo needs `{name}` {purpose}: "
                'pip install "keras_plex[demo]"'
            )


def prepare_folder(output: str) -> pathlib.Path:
    """The folder, made if need be; raises unless it is new, empty or ours."""
    folder = pathlib.Path(output)
    if folder.is_dir() and any(folder.iterdir()):
        if not (folder / REPORT_FILE).is_file():
            raise ValueError(
                f"The folder {output!r} holds other files, which the demo will "
                "not touch. Pass an empty or a new one with --output."
            )
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def check_epochs(epochs: int) -> None:
    """Raises unless `epochs` is positive."""
    if epochs < 1:
        raise ValueError(
            f"The number of epochs must be positive. Received: {epochs}"
        )
