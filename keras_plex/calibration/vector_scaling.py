"""A scale and a bias for each class."""

import math

import numpy as np
from keras import ops
from numpy.typing import ArrayLike

from keras_plex.calibration.calibrator import Calibrator
from keras_plex.calibration.calibrator import as_logits
from keras_plex.calibration.calibrator import same_kind
from keras_plex.calibration.calibrator import to_logits
from keras_plex.calibration.calibrator import to_outputs
from keras_plex.calibration.labelled import check_count
from keras_plex.calibration.labelled import check_every_class
from keras_plex.calibration.labelled import labelled_outputs
from keras_plex.calibration.mixture_likelihood import check_has_optimum
from keras_plex.calibration.mixture_likelihood import minimize_loss
from keras_plex.calibration.mixture_likelihood import mixture_loss
from keras_plex.checks import is_number
from keras_plex.types import Config
from keras_plex.types import Tensor


class VectorScaling(Calibrator):
    """Scales and shifts each class's logit so that labels are likeliest.

    For classes that are over- or underrated, such as after training on other
    class frequencies. It has two numbers per class; it may change which class
    is the most probable.

    `forecast = mean over members of softmax(scale * logits + bias)`.

    Members share scale and bias, which minimize the negative log likelihood of
    the mixture. A sigmoid's one logit has one scale and one bias (Platt).

    A good model makes few errors, and on a few hundred examples the
    likelihood alone can run away with them. So scales and biases have a prior,
    normal around 1 and 0, which thousands of examples outweigh.

    Args:
        output_kind: what the outputs are: `"softmax_logits"`,
            `"sigmoid_logits"` (one unit) or `"probabilities"`. Defaults to
            `"softmax_logits"`.
        prior_stddev: positive float, of the prior; or `None` for the
            likelihood alone. Defaults to `0.5`.

    Input shape:
        `(batch, classes)` or `(batch, ensemble, classes)`.

    Output shape:
        As the input, and of the same kind.

    Example:

    One logit for all, but three of four labels are class 1:

    >>> scaling = VectorScaling("probabilities", prior_stddev=None)
    >>> scaling = scaling.fit(np.full((4, 2), 0.5), [1, 1, 1, 0])
    >>> scaling(np.array([[0.5, 0.5]])).round(3).tolist()
    [[0.25, 0.75]]

    Reference:
        Guo et al., 2017, "On calibration of modern neural networks",
        https://arxiv.org/abs/1706.04599; Platt, 1999, "Probabilistic outputs
        for support vector machines".
    """

    def __init__(
        self,
        output_kind: str = "softmax_logits",
        prior_stddev: float | None = 0.5,
    ):
        super().__init__(output_kind)
        if prior_stddev is not None and not (
            is_number(prior_stddev) and 0.0 < prior_stddev < math.inf
        ):
            raise ValueError(
                "`prior_stddev` must be positive, or `None`. "
                f"Received: prior_stddev={prior_stddev!r}"
            )
        self.prior_stddev = prior_stddev

    @property
    def scale(self) -> list[float]:
        """One number per unit."""
        return self.numbers()["scale"]

    @property
    def bias(self) -> list[float]:
        """One number per unit; over several classes their mean is 0."""
        return self.numbers()["bias"]

    def fit(
        self,
        outputs: ArrayLike,
        labels: ArrayLike,
        sample_weight: ArrayLike | None = None,
    ) -> "VectorScaling":
        """Fits scale and bias to held-out examples of every class.

        Args:
            outputs: `(examples, classes)` or `(examples, ensemble, classes)`.
            labels: class indices, or one-hot or soft labels.
            sample_weight: `(examples,)`. Defaults to all equal.
        """
        data = labelled_outputs(
            outputs, labels, sample_weight, self.output_kind
        )
        logits = as_logits(data.outputs, self.output_kind)
        units = logits.shape[-1]
        check_count(len(logits), 2 * units, "Vector scaling")
        check_every_class(data.targets, "Vector scaling")
        check_has_optimum(logits, data.targets)
        start = np.concatenate([np.ones(units), np.zeros(units)])
        precision = 0.0
        if self.prior_stddev is not None:
            # The loss is a mean over the examples.
            precision = 1.0 / (self.prior_stddev**2 * len(logits))

        def loss(point: np.ndarray) -> tuple[float, np.ndarray]:
            scaled = logits * point[:units] + point[units:]
            value, gradient = mixture_loss(scaled, data.targets, data.weights)
            by_scale = np.sum(gradient * logits, axis=(0, 1))
            by_bias = np.sum(gradient, axis=(0, 1))
            apart = point - start
            value += 0.5 * precision * float(apart @ apart)
            by_point = np.concatenate([by_scale, by_bias])
            return value, by_point + precision * apart

        point, _ = minimize_loss(loss, start)
        scale, bias = point[:units], point[units:]
        if self.prior_stddev is None:
            check_has_optimum(logits * scale + bias, data.targets)
        if units > 1:
            bias = bias - bias.mean()  # which no softmax sees
        self.fitted = {
            "scale": scale.tolist(),
            "bias": bias.tolist(),
            "num_examples": len(logits),
        }
        return self

    def get_config(self) -> Config:
        """The arguments, and what was fitted."""
        return {**super().get_config(), "prior_stddev": self.prior_stddev}

    def __call__(self, outputs: Tensor) -> Tensor:
        logits = to_logits(outputs, self.output_kind)
        if logits.shape[-1] != len(self.scale):
            raise ValueError(
                f"The scales are those of {len(self.scale)} units. "
                f"Received: outputs of shape {tuple(logits.shape)}"
            )
        scale = ops.cast(np.asarray(self.scale), logits.dtype)
        bias = ops.cast(np.asarray(self.bias), logits.dtype)
        scaled = to_outputs(logits * scale + bias, self.output_kind)
        return same_kind(scaled, outputs)
