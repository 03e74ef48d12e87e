"""A model in a file as a version folder of TensorFlow Serving."""

import argparse
import json
import pathlib
from typing import Any

from keras_plex.cli.errors import as_usage_errors
from keras_plex.cli.given_options import add_options
from keras_plex.cli.given_options import given_arguments
from keras_plex.cli.given_options import naming
from keras_plex.cli.given_options import typed_pairs
from keras_plex.cli.keras_files import check_writable
from keras_plex.cli.keras_files import load_keras_model
from keras_plex.cli.printing import print_markdown
from keras_plex.cli.reading import parse_range
from keras_plex.export.input_kinds import INPUT_KINDS
from keras_plex.export.model_card import FILE
from keras_plex.export.model_card import FOLDER
from keras_plex.export.serving import check_backend
from keras_plex.export.serving import export_for_serving
from keras_plex.export.version_folder import check_target
from keras_plex.scores.load_score import load_score
from keras_plex.scores.table import SCORES

HELP = "write a model, with its uncertainty, for TensorFlow Serving"

EXAMPLES = """\
examples:
  keras-plex export ready.keras --output serving
  keras-plex export ready.keras --output serving --ood-score entropy \\
      --abstain-threshold 1.2 --reliability test_ece=0.021
  keras-plex export vit.keras --output serving --input-kind encoded_image
  keras-plex evaluate serving --data test=test.npz

FOLDER gets a new version beside those that are there; a server that polls it
never sees half of one. The preprocessor of a KerasHub task is a part of it if
the requests hold encoded images or texts.

exit code: 0 done, 1 failed, 2 wrong input, 130 interrupted
"""

# Option -> the arguments of `add_argument`; each but --output is an argument
# of `export_for_serving`.
OPTIONS: dict[str, dict[str, Any]] = {
    "--version": {
        "type": int,
        "metavar": "N",
        "help": "number of the version (default: the next)",
    },
    "--input-kind": {
        "metavar": "KIND",
        "help": f"what a request holds: {', '.join(INPUT_KINDS)}",
    },
    "--image-range": {
        "dest": "value_range",
        "metavar": "BLACK,WHITE",
        "help": "of what encoded images become, as in --image-range=-1,1",
    },
    "--ood-score": {
        "metavar": "NAME|FILE",
        "help": "the answer's ood_score: a name, or the file of a score that "
        f"was fitted and saved; names: {', '.join(SCORES)}",
    },
    "--abstain-threshold": {
        "type": float,
        "metavar": "X",
        "help": "the answer's abstain is true where the score is above",
    },
    "--reliability": {
        "nargs": "+",
        "action": "extend",
        "metavar": "NAME=NUMBER",
        "help": "what you measured, for the model card: test_ece=0.021",
    },
}

# What an error may name -> the option.
NAMES = {**OPTIONS, "--output": {"dest": "directory"}}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The model, the folder, the arguments of `export_for_serving`."""
    parser.add_argument("model", metavar="MODEL", help="a .keras file")
    parser.add_argument(
        "--output",
        required=True,
        metavar="FOLDER",
        help="of the served model, in which the version folder is made",
    )
    add_options(parser, OPTIONS, export_for_serving)


def run(arguments: argparse.Namespace) -> None:
    """Exports, prints what can be asked of it."""
    options = given_arguments(arguments, OPTIONS)
    with as_usage_errors(), naming(NAMES):
        check_backend()
        check_target(arguments.output, options.get("version"))
        check_writable(pathlib.Path(arguments.output))
        if "reliability" in options:
            pairs = options["reliability"]
            options["reliability"] = typed_pairs(pairs, "--reliability")
        if "value_range" in options:
            options["value_range"] = parse_range(options["value_range"])
        if "ood_score" in options:
            options["ood_score"] = _score(options["ood_score"])
        model = load_keras_model(arguments.model)
    with as_usage_errors(ValueError), naming(NAMES):
        folder = export_for_serving(model, arguments.output, **options)
    card = json.loads((folder / FOLDER / FILE).read_text(encoding="utf-8"))
    if arguments.json:
        print(json.dumps({"path": str(folder), **card}, indent=2))
    else:
        print_markdown(_as_markdown(folder, card))


def _score(name: str) -> Any:
    """A fitted one from its file; else the name is the library's to judge."""
    is_file = name not in SCORES and pathlib.Path(name).is_file()
    return load_score(name) if is_file else name


def _as_markdown(folder: pathlib.Path, card: dict[str, Any]) -> str:
    inputs = "".join(
        f"| {name} | {spec['dtype']} | {_shape(spec['shape'])} |\n"
        for name, spec in card["inputs"].items()
    )
    outputs = "".join(
        f"| {signature} | {', '.join(names)} |\n"
        for signature, names in card["outputs"].items()
    )
    return (
        f"{folder}\n\n"
        f"| input | dtype | shape |\n|---|---|---|\n{inputs}\n"
        f"| signature | outputs |\n|---|---|\n{outputs}"
    )


def _shape(shape: list[int | None]) -> str:
    return " x ".join("any" if size is None else str(size) for size in shape)
