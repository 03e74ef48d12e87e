"""A finished classifier meets held-out labels: probabilities that hold."""

import argparse
import json
from typing import Any

import keras

from keras_plex.calibration.calibrators import CALIBRATORS
from keras_plex.calibration.calibrators import calibrator_class
from keras_plex.calibration.calibrators import calibrator_name
from keras_plex.cli.data_files import DataFiles
from keras_plex.cli.errors import as_usage_errors
from keras_plex.cli.given_options import add_options
from keras_plex.cli.given_options import given_arguments
from keras_plex.cli.given_options import naming
from keras_plex.cli.keras_files import add_output_arguments
from keras_plex.cli.keras_files import checked_file
from keras_plex.cli.keras_files import load_keras_model
from keras_plex.cli.keras_files import save_model
from keras_plex.cli.printing import print_markdown
from keras_plex.cli.reading import add_reading_arguments
from keras_plex.cli.reading import reading_for
from keras_plex.cli.unread import check_reading
from keras_plex.models.covariance import is_fitted_to_validation
from keras_plex.models.deep_ensemble import DeepEnsemble
from keras_plex.models.member_outputs import MemberOutputs
from keras_plex.models.plex_model import PlexModel
from keras_plex.tasks.calibration import Calibration
from keras_plex.tasks.evaluate import evaluate
from keras_plex.types import Data

HELP = "make a model as sure as it is right, on held-out labelled data"

EXAMPLES = """\
data: FILE.npz, FILE.csv, FILE.jsonl or a folder, as of `keras-plex evaluate`

examples:
  keras-plex calibrate plex.keras --data held_out.npz --output ready.keras
  keras-plex calibrate plex.keras --data held_out.npz --output plex.keras \\
      --overwrite --method vector
  keras-plex calibrate laplace.keras --data held_out.npz --output ready.keras \\
      --covariance train.npz

NLL and ECE are printed before and after, on the data that fitted it; ask
`keras-plex evaluate` for those on other data. A stock model becomes a
DeepEnsemble of one member, which holds the calibration.

exit code: 0 done, 1 failed, 2 wrong input, 130 interrupted
"""

# Option -> the arguments of `add_argument`; each is one of `calibrate`.
OPTIONS: dict[str, dict[str, Any]] = {
    "--method": {"metavar": "NAME", "help": ", ".join(CALIBRATORS)},
    "--per-member": {
        "action": "store_true",
        "help": "a temperature for each member",
    },
}

MEASURES = ("nll", "ece")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The model, the data, the method, where the new model goes."""
    parser.add_argument("model", metavar="MODEL", help="a .keras file")
    parser.add_argument(
        "--data",
        required=True,
        metavar="PATH",
        help="labelled data that the model was not trained on",
    )
    add_output_arguments(parser)
    add_options(parser, OPTIONS, MemberOutputs.calibrate)
    parser.add_argument(
        "--covariance",
        metavar="PATH",
        help="training data, to which the covariance of a Gaussian process "
        "or Laplace head is fitted before",
    )
    add_reading_arguments(parser)


def run(arguments: argparse.Namespace) -> None:
    """Measures, fits, measures again, saves, prints."""
    batch_size = arguments.batch_size
    options = given_arguments(arguments, OPTIONS)
    with as_usage_errors():
        output = checked_file(arguments.output, arguments.overwrite)
        if "method" in options:
            calibrator_class(options["method"])
        model = _with_members(load_keras_model(arguments.model))
        held_out, training = _read_data(arguments, model)
    with as_usage_errors(ValueError), naming(OPTIONS):
        before = _measure(model, held_out, batch_size)
        if training is not None:
            validation = held_out if is_fitted_to_validation(model) else None
            model.fit_covariance(
                training, batch_size, validation_data=validation
            )
        model.calibrate(held_out, batch_size=batch_size, **options)
    after = _measure(model, held_out, batch_size)
    save_model(model, output)
    calibrator: Any = model.calibrator
    found = {
        "model": arguments.model,
        "output": str(output),
        "model_class": type(model).__name__,
        "ensemble_size": model.ensemble_size,
        "data": arguments.data,
        "covariance": arguments.covariance,
        "method": calibrator_name(calibrator),
        "num_examples": calibrator.num_examples,
        "measured_on": "the data that fitted it",
        "before": before,
        "after": after,
    }
    if arguments.json:
        print(json.dumps(found, indent=2))
    else:
        print_markdown(_as_markdown(found))


def _with_members(model: keras.Model) -> MemberOutputs:
    """The model; a stock one as an ensemble of one, which can be calibrated."""
    if isinstance(model, MemberOutputs):
        return model
    return DeepEnsemble([model], name=model.name)


def _read_data(
    arguments: argparse.Namespace, model: MemberOutputs
) -> tuple[Data, Data | None]:
    """`(x, y)` of `--data`, and what `--covariance` holds."""
    files = DataFiles(reading_for(arguments, model))
    held_out, training = files.load(arguments.data), None
    if not held_out.has_labels:
        raise ValueError(
            "--data must hold labels: y in a FILE.npz, a column `label`, or a "
            f"folder for each class. Received: {arguments.data!r} without"
        )
    if arguments.covariance is not None:
        if not isinstance(model, PlexModel):
            raise ValueError(
                "--covariance is for a model of `keras-plex convert` with a "
                "Gaussian process or Laplace head. "
                f"Received: a {type(model).__name__}"
            )
        training = files.load(arguments.covariance).labelled()
    check_reading(arguments, files.found.values(), [])
    return held_out.labelled(), training


def _measure(
    model: keras.Model, labelled: Data, batch_size: int
) -> dict[str, float]:
    task = Calibration(labelled)
    report = evaluate(model, [task], batch_size=batch_size, resamples=0)
    result = report["calibration"]
    return {name: result[name].value for name in MEASURES}


def _as_markdown(found: dict[str, Any]) -> str:
    rows = [
        f"| {name.upper()} | {found['before'][name]:.4f} "
        f"| {found['after'][name]:.4f} |\n"
        for name in MEASURES
    ]
    return (
        "{output}: {model}, a {model_class}, calibrated by {method} on "
        "{num_examples} examples\n\n"
        "| | before | after |\n|---|---|---|\n{rows}\n"
        "Measured on {measured_on}; `keras-plex evaluate` measures on other "
        "data.\n"
    ).format(**found, rows="".join(rows))
