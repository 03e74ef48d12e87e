"""What an exported model answers: named functions of the model's inputs."""

import functools
import types
from collections.abc import Callable
from typing import Any

import keras
from keras import ops
from keras import tree

from keras_plex.conversion import forward_pass
from keras_plex.models.batch_details import call_with_features
from keras_plex.models.classifiers import output_kind
from keras_plex.models.classifiers import output_layer
from keras_plex.models.member_outputs import MemberOutputs
from keras_plex.models.output_kinds import check_one_label
from keras_plex.ops.probabilities import NUMBERS
from keras_plex.predictions import prediction_fields
from keras_plex.scores import FeatureScore
from keras_plex.scores import needs_features
from keras_plex.scores import ready_score
from keras_plex.scores import score_name
from keras_plex.types import Tensor

Signature = Callable[[Any], dict[str, Tensor]]

# Name in the answer -> field of `Predictions`; those that are None are left
# out.
ANSWERS = {
    "probabilities": "probabilities",
    "label": "labels",
    "confidence": "confidence",
    "entropy": "entropy",
    "expected_entropy": "expected_entropy",
    "mutual_information": "mutual_information",
    "disagreement": "disagreement",
    "variance": "variance",
    "prediction_set": "prediction_sets",
}


def serving_signatures(
    model: keras.Model,
    ood_score: str | Callable[[Any], Tensor],
    abstain_threshold: float,
) -> dict[str, Signature]:
    """The signatures by name; see `export_for_serving`."""
    compute_score = _with_variables(ready_score(ood_score))
    reads_features = needs_features(ood_score)
    mode = forward_pass.FEATURES if reads_features else forward_pass.DETAILS

    def serving_default(inputs: Any) -> dict[str, Tensor]:
        fields = compute_fields(model, inputs, mode)
        ranking = compute_score(types.SimpleNamespace(**fields))
        _check_score(score_name(ood_score), ranking)
        finite = _are_finite(inputs)
        known = {name: fields[field] for name, field in ANSWERS.items()}
        return {
            **{name: x for name, x in known.items() if x is not None},
            "ood_score": ranking,
            "abstain": ops.logical_not(
                # So written, a score that is not a number abstains too.
                ops.logical_and(ranking <= abstain_threshold, finite)
            ),
        }

    def members(inputs: Any) -> dict[str, Tensor]:
        fields = compute_fields(model, inputs, forward_pass.DETAILS)
        return {"member_probabilities": fields["member_probabilities"]}

    def features(inputs: Any) -> dict[str, Tensor]:
        fields = compute_fields(model, inputs, forward_pass.FEATURES)
        return {"features": fields["features"]}

    found = {"serving_default": serving_default, "members": members}
    if output_layer(model) is not None and isinstance(model, MemberOutputs):
        found["features"] = features
    return found


def compute_fields(
    model: keras.Model, inputs: Any, mode: str
) -> dict[str, Tensor | None]:
    """The fields of `Predictions` as tensors, from one forward pass."""
    if isinstance(model, MemberOutputs):
        with forward_pass.returning(mode):
            found = model(inputs, training=False)
    elif mode == forward_pass.FEATURES:
        outputs, features = call_with_features(model, inputs)
        # One member: (batch, dim) -> (batch, ensemble, dim)
        features = ops.expand_dims(features, axis=1)
        found = {"outputs": outputs, "features": features}
    else:
        found = {"outputs": model(inputs, training=False)}
    return prediction_fields(
        found["outputs"],
        output_kind(model),
        variance=found.get("variance"),
        features=found.get("features"),
        probabilities=found.get("probabilities"),
        prediction_sets=found.get("prediction_sets"),
    )


def check_classifier(model: keras.Model) -> None:
    """Raises unless the model gives one label per example."""
    if not isinstance(model, keras.Model):
        raise ValueError(
            "`model` must be a `PlexModel`, which `keras_plex.plexify` makes, "
            f"or a Keras classifier. Received: {model!r} of type {type(model)}"
        )
    _check_graph(model)
    head = output_layer(model)
    if head is None and not isinstance(model, MemberOutputs):
        raise ValueError(
            f"{model.name!r} has no `Dense` output layer that tells what its "
            "outputs mean. Export it after `keras_plex.plexify`, whose "
            "`output_kind` you can set."
        )
    kind = output_kind(model)
    if kind in NUMBERS:
        raise ValueError(
            f"{model.name!r} is a regression model, and only classifiers can "
            "be exported. If its outputs are logits, compile it with its "
            'loss, or set `output_kind` of a `PlexModel` ("softmax_logits" or '
            '"sigmoid_logits").'
        )
    check_one_label(model.name, kind, head)


def _check_graph(model: keras.Model) -> None:
    inputs = getattr(model, "inputs", None)
    outputs = getattr(model, "outputs", None)
    if not inputs or not outputs:
        raise ValueError(
            f"The inputs and outputs of {model.name!r} must be known: make it "
            "a Functional model, or a Sequential one that starts with "
            "`keras.Input`."
        )
    shapes = [tuple(x.shape) for x in tree.flatten(outputs)]
    if len(shapes) != 1 or len(shapes[0]) != 2:
        raise ValueError(
            f"{model.name!r} must have one output of shape (batch, classes). "
            f"Received: output shapes={shapes}"
        )


def _with_variables(score: Callable) -> Callable:
    """A fitted score with its arrays as variables.

    As constants they would be part of the graph, which holds at most 2 GB.
    """
    if not isinstance(score, FeatureScore):
        return score
    parameters = {
        name: keras.Variable(array, trainable=False, name=name)
        for name, array in score.parameters.items()
    }
    return lambda fields: score(fields, parameters)


def _check_score(name: str, ranking: Tensor) -> None:
    if len(ranking.shape) != 1:
        raise ValueError(
            f"Score {name!r} must return one number per example, of shape "
            f"(batch,). Received: shape={tuple(ranking.shape)}"
        )


def _are_finite(inputs: Any) -> Tensor:
    """Whether all numbers of each example are finite: `(batch,)`.

    The forecast need not show it: TensorFlow's fused Dense and ReLU on a CPU
    makes a NaN a zero.
    """
    finite = [
        ops.all(ops.isfinite(x), axis=tuple(range(1, len(x.shape))))
        for x in tree.flatten(inputs)
        if keras.backend.is_float_dtype(
            keras.backend.standardize_dtype(x.dtype)
        )
    ]
    return functools.reduce(ops.logical_and, finite, True)
