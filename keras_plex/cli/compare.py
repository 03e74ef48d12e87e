"""Saved models, or saved reports, side by side."""

import argparse
import pathlib
from collections.abc import Callable

from keras_plex.cli.errors import as_usage_errors
from keras_plex.cli.model_files import add_model_arguments
from keras_plex.cli.model_files import load_classifier
from keras_plex.cli.model_files import model_names
from keras_plex.cli.printing import print_markdown
from keras_plex.cli.report_folder import COMPARISON
from keras_plex.cli.report_folder import checked_folder
from keras_plex.cli.task_arguments import make_tasks
from keras_plex.cli.task_options import add_measuring_arguments
from keras_plex.cli.task_options import add_task_arguments
from keras_plex.cli.task_options import measuring_options
from keras_plex.tasks.comparisons.compare import compare
from keras_plex.tasks.comparisons.comparison import Comparison
from keras_plex.tasks.reports.report import JSON_FILE
from keras_plex.tasks.reports.report import Report

HELP = "put saved models side by side, or reports that evaluate saved"

# As in Python: a difference is tested more sharply than a number is known.
RESAMPLES = 1000

EXAMPLES = """\
examples:
  keras-plex compare vit.keras plex.keras --data test=test.npz ood.svhn=svhn.npz
  keras-plex compare base=vit.keras plex=serving/ --tasks tasks.toml \\
      --output comparison
  keras-plex compare report_of_vit report_of_plex

The first one is the baseline. `keras-plex evaluate --help` says what data are.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The models or reports, the tasks, where the comparison goes."""
    parser.add_argument(
        "models",
        nargs="+",
        metavar="[NAME=]PATH",
        help="models, or folders that `evaluate --output` filled",
    )
    add_model_arguments(parser)
    add_task_arguments(parser)
    parser.add_argument(
        "--output", metavar="DIR", help="folder for the comparison"
    )
    add_measuring_arguments(parser)
    parser.set_defaults(resamples=RESAMPLES)


def run(arguments: argparse.Namespace) -> None:
    """Compares, saves, prints."""
    with as_usage_errors():
        paths = _paths_by_name(arguments.models)
        folder = checked_folder(arguments.output, COMPARISON)
        kinds = {_kind_of(path) for path in paths.values()}
        if len(kinds) > 1:
            raise ValueError(
                "Compare models with models, and reports with reports. "
                f"Received: {', '.join(paths.values())}"
            )
        found = COMPARE[kinds.pop()](paths, arguments)
    if folder is not None:
        found.save(folder)
    if arguments.json:
        print(found.to_json(), end="")
    else:
        print_markdown(found.to_markdown())


def _paths_by_name(models: list[str]) -> dict[str, str]:
    """Name -> path."""
    parts = [one.partition("=") for one in models]
    paths = [path if sign else whole for whole, sign, path in parts]
    named = zip(parts, model_names(paths), strict=True)
    names = [name if sign else short for (name, sign, _), short in named]
    if len(set(names)) < len(names):
        raise ValueError(
            f"Each model needs a name of its own: NAME=PATH. Received: {models}"
        )
    if len(names) < 2:
        raise ValueError(f"A comparison takes two or more. Received: {models}")
    return dict(zip(names, paths, strict=True))


def _kind_of(path: str) -> str:
    file = pathlib.Path(path)
    if not file.exists():
        raise FileNotFoundError(f"There is no model or report {path!r}.")
    return "report" if (file / JSON_FILE).is_file() else "model"


def _compare_reports(
    paths: dict[str, str], arguments: argparse.Namespace
) -> Comparison:
    options = ("task", "tasks", "data", "option")
    given = [f"--{name}" for name in options if getattr(arguments, name)]
    if given:
        raise ValueError(
            "Reports hold what was measured: leave tasks and data out. "
            f"Received: {', '.join(given)}"
        )
    reports = {name: Report.load(path) for name, path in paths.items()}
    return Comparison.from_reports(reports)


def _compare_models(
    paths: dict[str, str], arguments: argparse.Namespace
) -> Comparison:
    models = {
        name: load_classifier(path, _kind_for(path, arguments.output_kind))
        for name, path in paths.items()
    }
    tasks = make_tasks(arguments, next(iter(models.values())))
    return compare(models, tasks, **measuring_options(arguments))


def _kind_for(path: str, output_kind: str | None) -> str | None:
    """A file says itself what its outputs are; a SavedModel may not."""
    return output_kind if pathlib.Path(path).is_dir() else None


# What the paths lead to -> what compares it.
COMPARE: dict[
    str, Callable[[dict[str, str], argparse.Namespace], Comparison]
] = {"model": _compare_models, "report": _compare_reports}
