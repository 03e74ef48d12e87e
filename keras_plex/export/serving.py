"""A model and its uncertainty as a version folder of TensorFlow Serving."""

import math
import pathlib
from collections.abc import Mapping
from numbers import Real

import keras

from keras_plex.conversion.surgery import walk_layers
from keras_plex.export.input_kinds import make_inputs
from keras_plex.export.inputs import ServingInputs
from keras_plex.export.model_card import check_reliability
from keras_plex.export.model_card import describe
from keras_plex.export.model_card import write_model_card
from keras_plex.export.signatures import Signature
from keras_plex.export.signatures import check_classifier
from keras_plex.export.signatures import serving_signatures
from keras_plex.export.version_folder import check_target
from keras_plex.export.version_folder import write_version
from keras_plex.scores import FeatureScore
from keras_plex.scores import ready_score
from keras_plex.scores import score_name


def export_for_serving(
    model: keras.Model,
    directory: str | pathlib.Path,
    version: int | None = None,
    input_kind: str = "array",
    *,
    ood_score: str | FeatureScore = "msp",
    abstain_threshold: float = 0.5,
    reliability: Mapping[str, float] | None = None,
    value_range: tuple[float, float] | None = None,
) -> pathlib.Path:
    """Writes `directory/<version>/`, which TensorFlow Serving picks up.

    A server that polls `directory` never sees half a model: the folder is
    written under a hidden name and renamed when it is complete. It needs no
    Keras and no keras_plex to run. Batches may have any size; equal requests
    get equal answers, those of `model.predict_uncertainty`.

    Signatures, each from one forward pass:

    - `serving_default`: `probabilities`, `label`, `confidence`, `entropy`,
      `expected_entropy`, `mutual_information`, `disagreement`, `variance`
      (with a Gaussian-process head), `prediction_set` `(batch, classes)` (of
      a conformalized model), `ood_score`, and `abstain`, which is true
      where the score is above the threshold, and where it or an input is not
      a finite number.
    - `members`: `member_probabilities` `(batch, ensemble, classes)`.
    - `features`: `features` `(batch, ensemble, dim)`, the inputs of the output
      layer; of a converted model with a `Dense` output layer.

    One input is called `inputs`; several keep their names. Of raw images and
    texts the graph makes what the network takes, by a KerasHub task's own
    preprocessor if it has one.

    Args:
        model: a `PlexModel` that classifies, or a stock Keras classifier,
            which is exported as an ensemble of one member.
        directory: the served model's folder, made if need be.
        version: positive int; `None` is one more than the largest there.
        input_kind: what a request holds. `"array"`: batches of numbers, as the
            network takes them, a preprocessor left out. `"encoded_image"`: a
            JPEG, PNG, GIF or BMP file for each example. `"text"`: a string for
            each example; the model must be a KerasHub task with its
            preprocessor, and the server needs the operations of TensorFlow
            Text, which TensorFlow Serving has.
        ood_score: a name in `keras_plex.scores.SCORES`, or a score of features
            that is fitted: `fit_scores(["mahalanobis"], model, train)`.
        abstain_threshold: float, in units of the score: 0.5 suits `"msp"`,
            whose values are probabilities; choose it on validation data.
        reliability: numbers that you measured, for the model card in
            `assets.extra/model_card.json`: `{"test_ece": 0.02}`.
        value_range: black and white of what encoded images become. Defaults
            to `(0, 1)`; a model that scales its images itself must be told,
            and a preprocessor knows.

    Returns:
        The path of the version folder.

    Raises:
        ValueError: for a model, or an option, that cannot be exported.
        OSError: for a version that exists or a folder that cannot be written.
            Model and disk are left as they were.

    Example:

    >>> from keras_plex.export import answer_request
    >>> from keras_plex.plexify import plexify
    >>> stock = keras.Sequential(
    ...     [
    ...         keras.Input((4,)),
    ...         keras.layers.Dense(8, "relu"),
    ...         keras.layers.Dense(3),
    ...     ]
    ... )
    >>> model = plexify(stock, last_blocks=1, seed=0)
    >>> export_for_serving(model, "served").as_posix()
    'served/1'
    >>> answer = answer_request("served", [[1.0, 2.0, 3.0, 4.0]])
    >>> answer["probabilities"].shape, answer["abstain"].shape
    ((1, 3), (1,))

    Reference:
        Olston et al., 2017, "TensorFlow-Serving: flexible, high-performance ML
        serving", https://arxiv.org/abs/1712.06139
    """
    check_backend()
    check_classifier(model)
    inputs = make_inputs(model, input_kind, value_range)
    ready_score(ood_score)
    check_abstain_threshold(abstain_threshold)
    check_reliability(reliability)
    check_target(directory, version)
    signatures = serving_signatures(model, ood_score, abstain_threshold)
    archive, outputs = _trace(model, inputs, signatures)
    card = {
        **describe(model, inputs, outputs),
        "input_kind": input_kind,
        "ood_score": score_name(ood_score),
        "abstain_threshold": float(abstain_threshold),
    }
    if reliability is not None:
        card["reliability"] = reliability

    def write(folder: pathlib.Path) -> None:
        archive.write_out(str(folder), verbose=False)
        write_model_card(folder, card)

    return write_version(directory, version, write)


def check_backend() -> None:
    """Raises unless Keras runs on TensorFlow, whose graphs are exported."""
    backend = keras.config.backend()
    if backend != "tensorflow":
        raise ValueError(
            "`export_for_serving` needs Keras to run on TensorFlow. Save the "
            'model with `model.save("model.keras")`, and load and export it '
            "in a process started with KERAS_BACKEND=tensorflow. "
            f"Received: backend={backend!r}"
        )


def check_abstain_threshold(threshold: float) -> None:
    """Raises unless `threshold` is a finite number."""
    is_number = isinstance(threshold, Real) and not isinstance(threshold, bool)
    if not is_number or not math.isfinite(threshold):
        raise ValueError(
            "`abstain_threshold` must be a finite number, in units of the "
            f"score. Received: abstain_threshold={threshold!r}"
        )


def _trace(
    model: keras.Model,
    inputs: ServingInputs,
    signatures: Mapping[str, Signature],
) -> tuple[keras.export.ExportArchive, dict[str, list[str]]]:
    """The graphs, and the output names of each; touches no disk."""
    archive = keras.export.ExportArchive()
    outputs = {}
    for name, signature in signatures.items():
        answer = _on_named_inputs(signature, inputs)
        endpoint = archive.add_endpoint(name, answer, [inputs.specs])
        # Traces now, so that a fault shows before anything is written.
        traced = endpoint.get_concrete_function()
        outputs[name] = sorted(traced.structured_outputs)
    # Finds lookup tables and vocabularies, of which some are made above.
    # Layers with weights are found by the graphs; tracked here as well, each
    # weight would be written twice.
    for layer in walk_layers(model):
        if layer.built and not layer.variables:
            archive.track(layer)
    return archive, outputs


def _on_named_inputs(signature: Signature, inputs: ServingInputs) -> Signature:
    return lambda named: signature(inputs.to_model(named))
