"""One number that makes forecasts flatter or sharper."""

import numpy as np
from keras import ops
from numpy.typing import ArrayLike

from keras_plex.calibration.calibrator import Calibrator
from keras_plex.calibration.calibrator import as_logits
from keras_plex.calibration.calibrator import same_kind
from keras_plex.calibration.calibrator import to_logits
from keras_plex.calibration.calibrator import to_outputs
from keras_plex.calibration.labelled import check_count
from keras_plex.calibration.labelled import labelled_outputs
from keras_plex.calibration.mixture_likelihood import check_has_optimum
from keras_plex.calibration.mixture_likelihood import minimize_loss
from keras_plex.calibration.mixture_likelihood import mixture_loss
from keras_plex.types import Config
from keras_plex.types import Tensor

# Of the logarithm: from hardly any doubt to hardly any knowledge.
BOUNDS = (-5.0, 7.0)
# Members may make several valleys: start in the lowest.
STARTS = (-2.0, -1.0, 0.0, 1.0, 2.0)


class TemperatureScaling(Calibrator):
    """Divides logits by a temperature that makes held-out labels likeliest.

    The first thing to try: one number, which a few hundred examples settle,
    and which leaves the accuracy of a single model as it is.

    `forecast = mean over members of softmax(logits / temperature)`.

    The temperature divides each member's logits *before* they are mixed, and
    minimizes the negative log likelihood of the mixture. Probabilities are
    taken through their logarithms and back.

    Args:
        output_kind: what the outputs are: `"softmax_logits"`,
            `"sigmoid_logits"` (one unit) or `"probabilities"`. Defaults to
            `"softmax_logits"`.
        per_member: whether each member has a temperature of its own. Defaults
            to `False`.

    Input shape:
        `(batch, classes)` or `(batch, ensemble, classes)`.

    Output shape:
        As the input, and of the same kind.

    Example:

    Labels that are right three times in four, forecasts that are surer:

    >>> logits = np.array([[4.0, 0.0]] * 4)
    >>> scaling = TemperatureScaling().fit(logits, [0, 0, 0, 1])
    >>> round(scaling.temperature, 3)  # 4 / ln 3
    3.641
    >>> softmax = keras.activations.softmax(scaling(logits))
    >>> ops.convert_to_numpy(softmax)[0].round(3).tolist()
    [0.75, 0.25]

    Reference:
        Guo et al., 2017, "On calibration of modern neural networks",
        https://arxiv.org/abs/1706.04599
    """

    def __init__(
        self, output_kind: str = "softmax_logits", per_member: bool = False
    ):
        super().__init__(output_kind)
        self.per_member = per_member

    @property
    def temperature(self) -> float | list[float]:
        """The temperature, or a list of the members'."""
        return self.numbers()["temperature"]

    def fit(
        self,
        outputs: ArrayLike,
        labels: ArrayLike,
        sample_weight: ArrayLike | None = None,
    ) -> "TemperatureScaling":
        """Fits the temperature to held-out examples.

        Args:
            outputs: `(examples, classes)` or `(examples, ensemble, classes)`.
            labels: class indices, or one-hot or soft labels.
            sample_weight: `(examples,)`. Defaults to all equal.
        """
        data = labelled_outputs(
            outputs, labels, sample_weight, self.output_kind
        )
        logits = as_logits(data.outputs, self.output_kind)
        ensemble_size = logits.shape[1]
        num_parameters = ensemble_size if self.per_member else 1
        check_count(len(logits), num_parameters, "Temperature scaling")
        check_has_optimum(logits, data.targets)

        def loss(log_temperature: np.ndarray) -> tuple[float, np.ndarray]:
            # One number, or one for each member.
            scaled = logits * np.exp(-log_temperature)[:, None]
            value, gradient = mixture_loss(scaled, data.targets, data.weights)
            by_member = -np.sum(gradient * scaled, axis=(0, 2))
            if log_temperature.size == 1:
                by_member = by_member.sum(keepdims=True)
            return value, by_member

        start = min(STARTS, key=lambda point: loss(np.array([point]))[0])
        log_temperature, _ = minimize_loss(loss, np.array([start]), BOUNDS)
        if self.per_member:
            start = np.full(ensemble_size, log_temperature[0])
            log_temperature, _ = minimize_loss(loss, start, BOUNDS)
        temperature = [float(x) for x in np.exp(log_temperature)]
        self.fitted = {
            "temperature": temperature if self.per_member else temperature[0],
            "num_examples": len(logits),
        }
        return self

    def __call__(self, outputs: Tensor) -> Tensor:
        temperature = np.asarray(self.temperature)
        logits = to_logits(outputs, self.output_kind)
        if self.per_member:
            if len(logits.shape) != 3 or logits.shape[1] != temperature.size:
                raise ValueError(
                    f"There are temperatures of {temperature.size} members; "
                    "the outputs must be (batch, ensemble, classes) of as "
                    f"many. Received: shape={tuple(logits.shape)}"
                )
            temperature = temperature[:, None]
        scaled = logits / ops.cast(temperature, logits.dtype)
        return same_kind(to_outputs(scaled, self.output_kind), outputs)

    def get_config(self) -> Config:
        """The arguments, and what was fitted."""
        return {**super().get_config(), "per_member": self.per_member}
