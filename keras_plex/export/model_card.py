"""The model card: what was exported, from what, and how reliable it is."""

import datetime
import importlib.metadata
import json
import math
import pathlib
from collections.abc import Mapping
from numbers import Real

import keras

from keras_plex.calibration.calibrators import calibrator_name
from keras_plex.conversion.preprocessors import preprocessor_of
from keras_plex.export.inputs import ServingInputs
from keras_plex.export.signatures import output_kind
from keras_plex.models.member_outputs import MemberOutputs
from keras_plex.models.plex_model import PlexModel
from keras_plex.types import Config

# TensorFlow Serving loads nothing from this folder of a SavedModel.
FOLDER, FILE = "assets.extra", "model_card.json"
LEFT_OUT = "preprocessor_not_included"


def describe(
    model: keras.Model,
    inputs: ServingInputs,
    outputs: Mapping[str, list[str]],
) -> Config:
    """What the card says about any model.

    Args:
        model: the exported model.
        inputs: of each signature.
        outputs: the names that each signature answers.
    """
    import tensorflow as tf

    now = datetime.datetime.now(datetime.UTC)
    card = {
        "keras_plex": _installed_version(),
        "keras": keras.__version__,
        "tensorflow": tf.__version__,
        "created": now.isoformat(timespec="seconds"),
        "model": model.name,
        "model_class": type(model).__name__,
        "dtype_policy": model.dtype_policy.name,
        "output_kind": output_kind(model),
        "ensemble_size": 1,
        "inputs": {
            name: {"shape": list(spec.shape), "dtype": spec.dtype}
            for name, spec in inputs.specs.items()
        },
        "outputs": dict(outputs),
    }
    preprocessor = preprocessor_of(model)
    if preprocessor is not None:
        part = (
            "preprocessor" if inputs.preprocessor is preprocessor else LEFT_OUT
        )
        card[part] = type(preprocessor).__name__
    if isinstance(model, MemberOutputs):
        card["ensemble_size"] = model.ensemble_size
        card |= _describe_calibration(model)
    if isinstance(model, PlexModel):
        conversion = model.conversion
        card["head"] = conversion.settings.head
        card["converted_layers"] = len(conversion.converted)
    return card


def write_model_card(folder: pathlib.Path, card: Config) -> None:
    """Writes `folder/assets.extra/model_card.json`."""
    path = folder / FOLDER / FILE
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(card, indent=2, default=float) + "\n")


def read_model_card(folder: pathlib.Path) -> Config:
    """What stands in the card; nothing where there is none."""
    path = folder / FOLDER / FILE
    return json.loads(path.read_text()) if path.is_file() else {}


def check_reliability(reliability: Mapping[str, float] | None) -> None:
    """Raises unless each name has a finite number."""
    if reliability is None:
        return
    is_mapping = isinstance(reliability, Mapping)
    for name, value in reliability.items() if is_mapping else [(None, None)]:
        is_number = isinstance(value, Real) and math.isfinite(value)
        if not isinstance(name, str) or not is_number:
            raise ValueError(
                "`reliability` must map names to finite numbers, such as "
                f'{{"test_ece": 0.02}}. Received: reliability={reliability!r}'
            )


def _describe_calibration(model: MemberOutputs) -> Config:
    found = {}
    calibrator, sets = model.calibrator, model.conformal_sets
    if calibrator is not None:
        found["calibration"] = {
            "method": calibrator_name(calibrator),
            "examples": calibrator.num_examples,
        }
    if sets is not None:
        found["conformal_sets"] = {
            "method": sets.method,
            "alpha": sets.alpha,
            "quantile": sets.quantile,
            "examples": sets.num_examples,
        }
    return found


def _installed_version() -> str | None:
    """The version of keras_plex, `None` if it runs without installation."""
    try:
        return importlib.metadata.version("keras_plex")
    except importlib.metadata.PackageNotFoundError:
        return None
