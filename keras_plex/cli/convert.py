"""A stock model in a file, or a preset, as a model that says how sure it is."""

import argparse
import collections
import json
import math
import pathlib
from typing import Any

import keras

from keras_plex.cli.errors import as_usage_errors
from keras_plex.cli.given_options import add_options
from keras_plex.cli.given_options import given_arguments
from keras_plex.cli.given_options import naming
from keras_plex.cli.given_options import typed_pairs
from keras_plex.cli.keras_files import add_output_arguments
from keras_plex.cli.keras_files import checked_file
from keras_plex.cli.keras_files import load_keras_model
from keras_plex.cli.keras_files import save_model
from keras_plex.cli.model_files import SUFFIXES
from keras_plex.cli.typed_values import parse_value
from keras_plex.conversion.copying import deserialize_stock
from keras_plex.conversion.heads import HEADS
from keras_plex.conversion.methods import METHODS
from keras_plex.from_preset import from_preset
from keras_plex.models.plex_model import PlexModel
from keras_plex.plexify import plexify

HELP = "turn a stock model into one that says how sure it is"

EXAMPLES = """\
examples:
  keras-plex convert vit.keras --output plex.keras
  keras-plex convert vit.keras --output laplace.keras --head laplace
  keras-plex convert vit.keras --output plex.keras --ensemble-size 5 \\
      --last-blocks all --head gp --head-option num_features=512
  keras-plex convert bert_base_en_uncased --output plex.keras --num-classes 5

What is not given is chosen as keras_plex.plexify does. The new model is to be
trained, in Python; with --head laplace it needs no training, but the covariance
of `keras-plex calibrate --covariance`.

exit code: 0 done, 1 failed, 2 wrong input, 130 interrupted
"""

# The file in a preset's folder that says what it is.
PRESET_FILE = "config.json"

# Option -> the arguments of `add_argument`; each is an argument of `plexify`.
OPTIONS: dict[str, dict[str, Any]] = {
    "--ensemble-size": {
        "type": int,
        "metavar": "N",
        "help": "the number of members",
    },
    "--last-blocks": {
        "type": parse_value,
        "metavar": "N|all",
        "help": "how many trailing blocks get members; 0: the head alone",
    },
    "--no-ensemble-attention": {
        "dest": "ensemble_attention",
        "action": "store_false",
        "help": "leave the blocks' attention layers shared",
    },
    "--layers": {
        "nargs": "+",
        "metavar": "PATTERN",
        "help": "regular expressions on paths of layers: the layers that get "
        "members, in place of --last-blocks",
    },
    "--method": {"metavar": "NAME", "help": ", ".join(METHODS)},
    "--method-option": {
        "dest": "method_options",
        "nargs": "+",
        "action": "extend",
        "metavar": "NAME=VALUE",
        "help": "of the method: rank=8",
    },
    "--fast-weight-stddev": {
        "type": float,
        "metavar": "X",
        "help": "members start at N(1, X); with 0 each equals the stock model",
    },
    "--head": {"metavar": "NAME", "help": ", ".join(HEADS)},
    "--head-option": {
        "dest": "head_options",
        "nargs": "+",
        "action": "extend",
        "metavar": "NAME=VALUE",
        "help": "of the head: num_features=512 momentum=none",
    },
    "--num-classes": {
        "type": int,
        "metavar": "N",
        "help": "a new output layer with as many classes, which a backbone "
        "needs",
    },
    "--seed": {"type": int, "help": "of the members and random features"},
}

# Arguments that are dicts -> the option.
PAIRS = {"method_options": "--method-option", "head_options": "--head-option"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The model, where the new one goes, the arguments of `plexify`."""
    parser.add_argument(
        "model",
        metavar="MODEL",
        help="a .keras file; or what KerasHub's from_preset takes: a name, a "
        "handle, or a folder of save_to_preset",
    )
    add_output_arguments(parser)
    add_options(parser, OPTIONS, plexify)


def run(arguments: argparse.Namespace) -> None:
    """Converts, saves, prints."""
    with as_usage_errors():
        output = checked_file(arguments.output, arguments.overwrite)
        options = given_arguments(arguments, OPTIONS)
        for name, option in PAIRS.items():
            if name in options:
                options[name] = typed_pairs(options[name], option)
        with naming(OPTIONS):
            model, weights_before = _convert(arguments.model, options)
    save_model(model, output)
    found = {
        "model": arguments.model,
        "output": str(output),
        **describe(model, weights_before),
    }
    print(json.dumps(found, indent=2) if arguments.json else _in_words(found))


def describe(model: PlexModel, weights_before: int) -> dict[str, Any]:
    """What was converted: plain data.

    Args:
        model: the converted one.
        weights_before: how many numbers the stock model held.
    """
    conversion = model.conversion
    settings = conversion.settings
    # Without, all members are equal.
    has_members = settings.makes_members or settings.head == "batch_ensemble"
    blocks = {id(one): _path(one) for one in conversion.blocks}
    head = conversion.head
    weights = model.count_params()
    return {
        "model_class": type(model).__name__,
        "ensemble_size": model.ensemble_size,
        "has_members": has_members,
        "method": settings.method,
        "fast_weight_stddev": settings.fast_weight_stddev,
        "blocks": list(blocks.values()),
        "layers": [_layer(one) for one in conversion.converted],
        "head": settings.head,
        "head_layer": None if head is None else _layer(head.layer),
        "weights_before": weights_before,
        "weights_after": weights,
        "ratio": weights / max(weights_before, 1),
        "weights_that_learn": sum(
            math.prod(one.shape) for one in model.trainable_weights
        ),
    }


def _convert(model: str, options: dict[str, Any]) -> tuple[PlexModel, int]:
    """The converted model, and how many weights it had before."""
    file = pathlib.Path(model)
    if file.is_file() or file.suffix in SUFFIXES:
        stock = load_keras_model(model)
        return plexify(stock, **options), stock.count_params()
    if file.is_dir() and not (file / PRESET_FILE).is_file():
        raise ValueError(
            "A folder must hold a KerasHub preset, which `save_to_preset` "
            "writes. A SavedModel cannot be converted: pass the .keras file "
            f"that it was made from. Received: {model!r}"
        )
    plex = from_preset(model, **options)
    return plex, deserialize_stock(plex.get_config()["stock"]).count_params()


def _path(layer: keras.layers.Layer) -> str:
    return layer.path or layer.name


def _layer(layer: keras.layers.Layer) -> dict[str, str]:
    return {"path": _path(layer), "class": type(layer).__name__}


def _in_words(found: dict[str, Any]) -> str:
    classes = collections.Counter(one["class"] for one in found["layers"])
    layers = ", ".join(f"{count} {name}" for name, count in classes.items())
    members = "without members"
    if found["has_members"]:
        members = f"with {found['ensemble_size']} members, {found['method']}"
    head = found["head"]
    if found["head_layer"] is not None:
        head += " ({class} {path})".format(**found["head_layer"])
    return (
        f"{found['output']}: {found['model']} {members}\n"
        f"blocks:  {', '.join(found['blocks'])}\n"
        f"layers:  {layers}\n"
        f"head:    {head}\n"
        f"weights: {found['weights_before']:,} before, "
        f"{found['weights_after']:,} after ({found['ratio']:.2f} times as "
        f"many), of which {found['weights_that_learn']:,} learn"
    )
