"""What a model says about a batch of examples, and how sure it is."""

import dataclasses
from typing import Any

import numpy as np
from keras import ops

from keras_plex.ops.probabilities import entropy
from keras_plex.ops.probabilities import log_probabilities
from keras_plex.ops.probabilities import member_probabilities
from keras_plex.ops.probabilities import summarize_members
from keras_plex.types import Tensor


@dataclasses.dataclass(frozen=True, eq=False)
class Predictions:
    """Forecasts and their uncertainty for `batch` examples, as NumPy arrays.

    A forecast is the mean of the members' probabilities, unless isotonic
    calibration maps it further. Entropies are in nats.
    `PlexModel.predict_uncertainty` returns one; `from_outputs` makes one from
    the outputs of any classifier.

    Args:
        probabilities: `(batch, classes)` float, the forecast.
        member_probabilities: `(batch, ensemble, classes)` float.
        labels: `(batch,)` int, the most probable class.
        confidence: `(batch,)` float, the probability of `labels`.
        entropy: `(batch,)` float, of the forecast: total uncertainty.
        expected_entropy: `(batch,)` float, the mean of the members' entropies:
            uncertainty that more members would not remove.
        mutual_information: `(batch,)` float, `entropy - expected_entropy`:
            uncertainty about the model.
        disagreement: `(batch,)` float, the share of pairs of members that
            name different labels.
        variance: `(batch,)` float, the logit variance of a Gaussian-process
            or Laplace head, mean over members, and over classes where each has
            its own; `None` without such a head.
        features: `(batch, ensemble, dim)` float, the input of the head;
            `None` unless asked for.
        member_logits: `(batch, ensemble, classes)` float before the softmax;
            `None` for a model that outputs probabilities.
        prediction_sets: `(batch, classes)` bool, the classes that are not
            ruled out; `None` before `conformalize`. A set may be empty.
        log_probabilities: `(batch, classes)` float, of the forecast, finite
            where a probability is too small for its float; `None` where no
            logits tell.

    Example:

    >>> logits = np.array([[[2.0, 0.0], [0.0, 2.0]], [[3.0, 0.0], [3.0, 0.0]]])
    >>> predictions = Predictions.from_outputs(logits, "softmax_logits")
    >>> predictions.probabilities.shape, predictions.labels.tolist()
    ((2, 2), [0, 0])
    >>> [round(float(x), 3) for x in predictions.mutual_information]
    [0.328, 0.0]

    Reference:
        Depeweg et al., 2018, "Decomposition of uncertainty in Bayesian deep
        learning for efficient and risk-sensitive learning".
    """

    probabilities: np.ndarray
    member_probabilities: np.ndarray
    labels: np.ndarray
    confidence: np.ndarray
    entropy: np.ndarray
    expected_entropy: np.ndarray
    mutual_information: np.ndarray
    disagreement: np.ndarray
    variance: np.ndarray | None = None
    features: np.ndarray | None = None
    member_logits: np.ndarray | None = None
    prediction_sets: np.ndarray | None = None
    log_probabilities: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.labels)

    @classmethod
    def from_outputs(
        cls,
        outputs: Tensor,
        output_kind: str,
        *,
        variance: Tensor | None = None,
        features: Tensor | None = None,
        probabilities: Tensor | None = None,
        prediction_sets: Tensor | None = None,
    ) -> "Predictions":
        """Predictions from `(batch, ensemble, classes)` or `(batch, classes)`.

        Args:
            outputs: what the model returned; without the ensemble axis it
                counts as one member.
            output_kind: `"softmax_logits"`, `"sigmoid_logits"` or
                `"probabilities"`.
            variance: `(batch,)`, `(batch, ensemble)` or `(batch, ensemble,
                classes)`.
            features: `(batch, ensemble, dim)`.
            probabilities: `(batch, classes)`, of a forecast that is not the
                mean of the members'.
            prediction_sets: `(batch, classes)`, bool.
        """
        fields = prediction_fields(
            outputs,
            output_kind,
            variance=variance,
            features=features,
            probabilities=probabilities,
            prediction_sets=prediction_sets,
        )
        arrays: dict[str, Any] = {
            name: None if value is None else ops.convert_to_numpy(value)
            for name, value in fields.items()
        }
        return cls(**arrays)


def prediction_fields(
    outputs: Tensor,
    output_kind: str,
    *,
    variance: Tensor | None = None,
    features: Tensor | None = None,
    probabilities: Tensor | None = None,
    prediction_sets: Tensor | None = None,
) -> dict[str, Tensor | None]:
    """The fields of `Predictions` as tensors, for use inside a graph.

    Arguments as for `Predictions.from_outputs`.
    """
    outputs = ops.cast(ops.convert_to_tensor(outputs), "float32")
    if len(outputs.shape) == 2:
        outputs = ops.expand_dims(outputs, axis=1)
    if len(outputs.shape) != 3:
        raise ValueError(
            "`outputs` must be (batch, classes) or (batch, ensemble, classes)."
            f" Received: shape={tuple(outputs.shape)}"
        )
    if variance is not None and len(variance.shape) > 1:
        # Over members, and over classes where each has its own.
        axes = tuple(range(1, len(variance.shape)))
        variance = ops.mean(variance, axis=axes)
    summary = summarize_members(member_probabilities(outputs, output_kind))
    if probabilities is not None:
        summary |= _summarize_forecast(ops.convert_to_tensor(probabilities))
    is_logits = output_kind.endswith("logits")
    is_mixture = is_logits and probabilities is None
    return {
        **summary,
        "variance": variance,
        "features": features,
        "member_logits": outputs if is_logits else None,
        "prediction_sets": prediction_sets,
        "log_probabilities": log_probabilities(outputs) if is_mixture else None,
    }


def _summarize_forecast(probabilities: Tensor) -> dict[str, Tensor]:
    """What a forecast of its own changes; the rest is the members'."""
    return {
        "probabilities": probabilities,
        "labels": ops.cast(ops.argmax(probabilities, axis=-1), "int32"),
        "confidence": ops.max(probabilities, axis=-1),
        "entropy": entropy(probabilities),
    }
