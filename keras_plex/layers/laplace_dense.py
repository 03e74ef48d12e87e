"""A finished output layer that learns how sure it is, without training."""

import keras
import numpy as np
from keras import ops

from keras_plex.calibration.prior_precision import evidence_prior_precision
from keras_plex.checks import is_number
from keras_plex.checks import is_positive_integer
from keras_plex.layers.covariance_head import CovarianceHead
from keras_plex.layers.gp_arguments import check_mean_field_factor
from keras_plex.layers.takeover import take_over_dense
from keras_plex.ops.probabilities import mean_field_logits
from keras_plex.tables import lookup
from keras_plex.types import Config
from keras_plex.types import Tensor

# Name -> class probabilities of the logits.
LIKELIHOODS = {"softmax": ops.softmax, "binary_logistic": ops.sigmoid}


@keras.saving.register_keras_serializable("keras_plex")
class LaplaceDense(CovarianceHead, keras.layers.Dense):
    """A dense output layer with a Laplace approximation of its posterior.

    For a classifier that is trained already. The weights stay as they are;
    around them the posterior is Gaussian, its precision the generalized
    Gauss-Newton matrix of the data with one covariance for all units:

    `variance(x) = phi (prior I + sum_i w_i phi_i phi_i^T)^-1 phi^T`

    with `phi = (x, 1)` and `w` the trace of the likelihood's Hessian, the sum
    over units of `p (1 - p)`. Logits are divided by
    `sqrt(1 + mean_field_factor * variance(x))`, the same number for all
    classes: the most probable class stays the same. Before, they are
    multiplied by `logit_scale`, a weight that is 1 until `PlexModel` fits it
    to validation data.

    Show it data with `observe(x)`, then call `update_covariance()`;
    `PlexModel.fit_covariance` does both.

    Args:
        units: positive int, the number of outputs.
        likelihood: `"softmax"`, or `"binary_logistic"` for independent labels.
            `None` is `"softmax"` for several units. Defaults to `None`.
        prior_precision: positive float, of the weights. `None` takes the one
            with the largest marginal likelihood, which `PlexModel` corrects
            by the validation data it is given. Defaults to `None`.
        mean_field_factor: float >= 0. `None` is pi / 8, the probit value,
            which `PlexModel`, too, corrects by validation data. Defaults to
            `None`.
        rows_per_example: positive int, the number of rows that stand for one
            example: the ensemble size below `TileMembers`. Defaults to `1`.
        **kwargs: arguments of `keras.layers.Dense`.

    Input shape:
        `(batch, ..., input_dim)`.

    Output shape:
        `(batch, ..., units)`.

    Example:

    >>> dense = keras.layers.Dense(3)
    >>> dense.build((None, 8))
    >>> layer = LaplaceDense.from_layer(dense)
    >>> x = np.random.default_rng(0).normal(size=(100, 8)).astype("float32")
    >>> layer.observe(x)
    >>> layer.update_covariance()
    >>> bool(np.all(layer.variance(10 * x) > layer.variance(x)))
    True

    Reference:
        Daxberger et al., 2021, "Laplace redux: effortless Bayesian deep
        learning", https://arxiv.org/abs/2106.14806; Kristiadi, Hein and
        Hennig, 2020, "Being Bayesian, even just a bit, fixes overconfidence in
        ReLU networks".
    """

    own_arguments = (
        "likelihood",
        "prior_precision",
        "mean_field_factor",
        "rows_per_example",
    )
    stored_weights = ("mean_field", "logit_scale", "fitted_prior")
    typical_factor = float(np.pi / 8)

    def __init__(
        self,
        units: int,
        likelihood: str | None = None,
        prior_precision: float | None = None,
        mean_field_factor: float | None = None,
        rows_per_example: int = 1,
        **kwargs,
    ):
        super().__init__(units, **kwargs)
        default = "softmax" if units > 1 else "binary_logistic"
        self.likelihood = default if likelihood is None else likelihood
        self.prior_precision = prior_precision
        self.mean_field_factor = mean_field_factor
        self.rows_per_example = rows_per_example
        self._check_arguments()

    def _check_arguments(self) -> None:
        lookup(LIKELIHOODS, self.likelihood, "likelihood")
        if self.likelihood == "softmax" and self.units == 1:
            raise ValueError(
                '`likelihood="softmax"` needs several units. For one unit use '
                '`likelihood="binary_logistic"`. Received: units=1'
            )
        prior = self.prior_precision
        if prior is not None and not (is_number(prior) and prior > 0):
            raise ValueError(
                "`prior_precision` must be `None` or positive. "
                f"Received: prior_precision={prior!r}"
            )
        if not is_positive_integer(self.rows_per_example):
            raise ValueError(
                "`rows_per_example` must be a positive integer. "
                f"Received: rows_per_example={self.rows_per_example!r}"
            )
        check_mean_field_factor(self.mean_field_factor)

    def build(self, input_shape: tuple) -> None:
        lora_rank, self.lora_rank = self.lora_rank, None
        super().build(input_shape)
        self.add_own_weights(input_shape[-1])
        if lora_rank:
            self.enable_lora(lora_rank, lora_alpha=self.lora_alpha)

    def add_own_weights(self, input_dim: int) -> None:
        prior = 1.0 if self.prior_precision is None else self.prior_precision
        self.fitted_prior = self.add_weight(
            name="fitted_prior",
            shape=(),
            initializer=keras.initializers.Constant(prior),
            dtype="float32",
            trainable=False,
            autocast=False,
        )
        self.add_covariance(input_dim + self.use_bias)

    def covariance_features(self, inputs: Tensor) -> Tensor:
        """The inputs and, with a bias, a 1: float32."""
        x = ops.cast(inputs, "float32")
        if not self.use_bias:
            return x
        return ops.concatenate([x, ops.ones_like(x[..., :1])], axis=-1)

    def _mean(self, inputs: Tensor, features: Tensor) -> Tensor:
        logits = ops.cast(ops.matmul(inputs, self.kernel), "float32")
        if self.use_bias:
            logits = logits + ops.cast(self.bias, "float32")
        return logits

    def curvature(self, logits: Tensor) -> Tensor:
        """The weight of each row in the precision: `(batch, ...)`."""
        probabilities = LIKELIHOODS[self.likelihood](logits)
        curvature = probabilities * (1.0 - probabilities)
        return ops.sum(curvature, axis=-1) / self.rows_per_example

    def flatten(
        self, logits: Tensor, variance: Tensor, factor: Tensor
    ) -> Tensor:
        """Logits of the forecast, given their variance."""
        return mean_field_logits(logits, variance, factor)

    def update_covariance(self) -> None:
        """Makes `variance` that of the data observed since the last reset."""
        self.assume_prior(self.typical_prior_and_factor()[0])

    def assume_prior(self, prior_precision: float) -> None:
        """Makes `variance` that under another prior."""
        self.fitted_prior.assign(prior_precision)
        self.covariance.refresh(prior_precision)

    @property
    def is_prior_and_factor_free(self) -> tuple[bool, bool]:
        """Which of the two validation data may correct."""
        factor = self.mean_field_factor
        # Under a factor of 0 no prior changes a forecast.
        return self.prior_precision is None and factor != 0, factor is None

    def typical_prior_and_factor(self) -> tuple[float, float]:
        """Both as given, or as they are without validation data."""
        prior, factor = self.prior_precision, self.mean_field_factor
        return (
            self.evidence_prior() if prior is None else prior,
            self.typical_factor if factor is None else factor,
        )

    def evidence_prior(self) -> float:
        """The prior precision with the largest marginal likelihood."""
        return evidence_prior_precision(
            ops.convert_to_numpy(self.covariance.precision),
            self._squared_norm(),
            self.units,
        )

    def _squared_norm(self) -> float:
        weights = [self.kernel] + ([self.bias] if self.use_bias else [])
        return sum(
            float(np.sum(ops.convert_to_numpy(w).astype("float64") ** 2))
            for w in weights
        )

    @classmethod
    def from_layer(
        cls, layer: keras.layers.Dense, **arguments
    ) -> "LaplaceDense":
        """A new layer with the weights of a built `Dense`.

        Args:
            layer: a built `keras.layers.Dense`, left as it is. LoRA weights
                are merged into the kernel.
            **arguments: of `LaplaceDense`.
        """
        return take_over_dense(cls, layer, arguments)

    def save_own_variables(self, store: dict) -> None:
        keras.layers.Dense.save_own_variables(self, store)
        super().save_own_variables(store)

    def load_own_variables(self, store: dict) -> None:
        keras.layers.Dense.load_own_variables(self, store)
        super().load_own_variables(store)

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            **{name: getattr(self, name) for name in self.own_arguments},
        }
