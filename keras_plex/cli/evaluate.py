"""How reliable a saved model is, on data in files."""

import argparse
import dataclasses

from keras_plex.cli.errors import as_usage_errors
from keras_plex.cli.model_files import add_model_arguments
from keras_plex.cli.model_files import load_classifier
from keras_plex.cli.model_files import model_names
from keras_plex.cli.printing import print_markdown
from keras_plex.cli.report_folder import REPORT
from keras_plex.cli.report_folder import checked_folder
from keras_plex.cli.task_arguments import make_tasks
from keras_plex.cli.task_options import add_measuring_arguments
from keras_plex.cli.task_options import add_task_arguments
from keras_plex.cli.task_options import measuring_options
from keras_plex.tasks.evaluate import evaluate

HELP = "measure how reliable a saved model is"

EXAMPLES = """\
data:
  FILE.npz        arrays x, y and, for subpopulation_shift, groups; in place of
                  x arrays named as the model's inputs
  DIR             with x.npy, y.npy, groups.npy, which stay on the disk
  FILE.csv        columns text, label, group
  FILE.jsonl      objects with text, label (a number, a name, or a distribution
                  as a list), group
  DIR             of images, in a folder for each class

examples:
  keras-plex evaluate model.keras --data test=test.npz ood.svhn=svhn.npz
  keras-plex evaluate model.keras --task calibration --data test=reviews.csv \\
      --classes negative,positive --output report
  keras-plex evaluate model.keras --task covariate_shift --data test=images/ \\
      --option corruptions=fog,contrast severities=1,3,5 --image-range 0,1
  keras-plex evaluate serving/ --tasks tasks.toml --image-range 0,1 \\
      --output report --json
  keras-plex evaluate model.keras --task open_set/cifar10 --data-dir tfds

tasks.toml:
  [tasks.blurred]
  kind = "covariate_shift"
  test = "test.npz"
  shifted.blur = "blur.npz"
  [tasks.far]
  kind = "open_set/cifar10"

--output keeps what the model said of each data set as soon as it is there:
after a crash the same command goes on where it stopped.

exit code: 0 done, 1 failed, 2 wrong input, 130 interrupted
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The model, the tasks, where the report goes."""
    parser.add_argument(
        "model",
        metavar="MODEL",
        help="a .keras file, or a SavedModel of export_for_serving or of "
        "model.export",
    )
    add_model_arguments(parser)
    add_task_arguments(parser)
    parser.add_argument(
        "--output",
        metavar="DIR",
        help="folder for report.json, report.md and report.html, and to go on "
        "from",
    )
    parser.add_argument(
        "--cost",
        action="store_true",
        help="measure what a forecast costs, too: operations and seconds",
    )
    add_measuring_arguments(parser)


def run(arguments: argparse.Namespace) -> None:
    """Measures, saves, prints."""
    with as_usage_errors():
        folder = checked_folder(arguments.output, REPORT)
        model = load_classifier(arguments.model, arguments.output_kind)
        tasks = make_tasks(arguments, {arguments.model: model})
    with as_usage_errors(ValueError):
        report = evaluate(
            model,
            tasks,
            measure_cost=arguments.cost,
            directory=folder,
            **measuring_options(arguments),
        )
    # A file says more than the name that Keras gave the model.
    name = model_names([arguments.model])[0]
    report = dataclasses.replace(report, model=name)
    if folder is not None:
        report.save(folder)
    if arguments.json:
        print(report.to_json(), end="")
    else:
        print_markdown(report.to_markdown())
