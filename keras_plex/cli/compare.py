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
from keras_plex.cli.task_options import MEASURING_OPTIONS
from keras_plex.cli.task_options import TASK_OPTIONS
from keras_plex.cli.task_options import Default
from keras_plex.cli.task_options import add_measuring_arguments
from keras_plex.cli.task_options import add_task_arguments
from keras_plex.cli.task_options import measuring_options
from keras_plex.cli.task_options import which_typed
from keras_plex.tasks.comparisons.compare import compare
from keras_plex.tasks.comparisons.comparison import Comparison
from keras_plex.tasks.reports.report import JSON_FILE
from keras_plex.tasks.reports.report import Report

HELP = "put saved models side by side, or reports that evaluate saved"

# As in Python: a difference is tested more sharply than a number is known.
RESAMPLES = Default(1000)

# What saved reports cannot be told any more.
NOT_OF_REPORTS = ("--output-kind", *TASK_OPTIONS, *MEASURING_OPTIONS)

EXAMPLES = """\
examples:
  keras-plex compare vit.keras plex.keras --data test=test.npz ood.svhn=svhn.npz
  keras-plex compare base=vit.keras plex=serving/ --tasks tasks.toml \\
      --output comparison
  keras-plex compare report_of_vit report_of_plex

The first one is the baseline. `keras-plex evaluate --help` says what data are.

--output keeps what each model said of each data set as soon as it is there:
after a crash the same command goes on where it stopped.

exit code: 0 done, 1 failed, 2 wrong input, 130 interrupted
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
        "--output",
        metavar="DIR",
        help="folder for the comparison, and to go on from",
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
    parts = [_name_and_path(one) for one in models]
    paths = [path for _, path in parts]
    named = zip(parts, model_names(paths), strict=True)
    names = [short if name is None else name for (name, _), short in named]
    if len(set(names)) < len(names):
        raise ValueError(
            f"Each model needs a name of its own: NAME=PATH. Received: {models}"
        )
    if len(names) < 2:
        raise ValueError(f"A comparison takes two or more. Received: {models}")
    return dict(zip(names, paths, strict=True))


def _name_and_path(word: str) -> tuple[str | None, str]:
    """The name is `None` unless it was given; `runs/lr=0.1` is a path."""
    name, sign, path = word.partition("=")
    has_folders = pathlib.Path(name).name != name
    if not sign or has_folders or pathlib.Path(word).exists():
        return None, word
    return name, path


def _kind_of(path: str) -> str:
    file = pathlib.Path(path)
    if not file.exists():
        raise FileNotFoundError(f"There is no model or report {path!r}.")
    return "report" if (file / JSON_FILE).is_file() else "model"


def _compare_reports(
    paths: dict[str, str], arguments: argparse.Namespace
) -> Comparison:
    with as_usage_errors():
        typed = which_typed(arguments, NOT_OF_REPORTS)
        if typed:
            raise ValueError(
                "Reports hold what was measured, and how: leave these options "
                f"out, or compare models. Received: {', '.join(typed)}"
            )
        reports = {name: Report.load(path) for name, path in paths.items()}
        return Comparison.from_reports(reports)


def _compare_models(
    paths: dict[str, str], arguments: argparse.Namespace
) -> Comparison:
    with as_usage_errors():
        # A file says itself what its outputs are, and refuses to be told; of
        # several models those may be told that are folders.
        folders = [one for one in paths.values() if pathlib.Path(one).is_dir()]
        told = folders or paths.values()
        models = {
            name: load_classifier(
                path, arguments.output_kind if path in told else None
            )
            for name, path in paths.items()
        }
        tasks = make_tasks(arguments, models)
    with as_usage_errors(ValueError):
        return compare(
            models,
            tasks,
            directory=arguments.output,
            **measuring_options(arguments),
        )


# What the paths lead to -> what compares it.
COMPARE: dict[
    str, Callable[[dict[str, str], argparse.Namespace], Comparison]
] = {"model": _compare_models, "report": _compare_reports}
