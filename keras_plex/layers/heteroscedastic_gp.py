"""A Gaussian-process output layer that also learns which labels are noisy."""

import math
from typing import Any

import keras
from keras import ops

from keras_plex.checks import check_seed
from keras_plex.checks import is_number
from keras_plex.layers.heteroscedastic_noise import MINIMUM_STDDEV
from keras_plex.layers.heteroscedastic_noise import NOISE_WEIGHTS
from keras_plex.layers.heteroscedastic_noise import HeteroscedasticNoise
from keras_plex.layers.random_feature_gp import RandomFeatureGP
from keras_plex.types import Tensor

# Link -> the likelihoods that can weigh the rows of the covariance.
LIKELIHOODS = {
    "softmax": ("gaussian", "softmax"),
    "sigmoid": ("gaussian", "binary_logistic"),
}


@keras.saving.register_keras_serializable("keras_plex")
class HeteroscedasticGP(HeteroscedasticNoise, RandomFeatureGP):
    """A `RandomFeatureGP` whose class scores are noisy, more for some inputs.

    Use it where labels are noisy and inputs can lie far from the training
    data: the noise of `HeteroscedasticDense` says the first, the variance of
    the Gaussian process the second. The utility of each class is Gaussian:

    `u = mean(x) + e_R @ factors(x) + stddev_total(x) * e_K`

    with the mean of the Gaussian process. In training `stddev_total` is the
    learned `stddev(x)`; at inference, once the covariance has seen data,

    `stddev_total(x)^2 = het_weight * stddev(x)^2
    + mean_field_factor * variance(x)`

    The forecast is the mean over samples of `softmax(u / temperature)`, and
    the outputs are its logs.

    Args:
        units: positive int, the number of classes.
        num_factors: as in `HeteroscedasticDense`. Defaults to `0`.
        link: `"softmax"` or `"sigmoid"`. Defaults to `"softmax"`.
        temperature: positive float, or a pair `(low, high)` between which it
            is learned. Defaults to `1.0`.
        parameter_efficient: as in `HeteroscedasticDense`. Defaults to `False`.
        num_samples: positive int, at inference. Defaults to `1024`.
        num_training_samples: positive int. Defaults to `128`.
        het_weight: float >= 0, of the learned variance at inference. Defaults
            to `1.0`.
        mean_field_factor: float >= 0, of the Gaussian process's variance.
            Defaults to `1.0`.
        seed: int, of weights and noise. Defaults to random weights and
            training noise.
        **kwargs: the other arguments of `RandomFeatureGP`. `activation` can be
            `None` or the link; `likelihood` is `"gaussian"`, `"softmax"` with
            that link, or `"binary_logistic"` with one unit and `"sigmoid"`.

    Input shape:
        `(batch, ..., input_dim)`.

    Output shape:
        `(batch, ..., units)`: log probabilities, or logits for `"sigmoid"`.

    Example:

    >>> layer = HeteroscedasticGP(3, num_features=64, seed=0)
    >>> x = np.random.default_rng(0).normal(size=(100, 8)).astype("float32")
    >>> log_probabilities = layer(x, training=True)
    >>> layer.update_covariance()
    >>> noise = layer.stddev(x) ** 2
    >>> bool(np.all(layer.predictive_variance(x) > noise))
    True

    Reference:
        Fortuin et al., 2022, "Deep classifiers with label noise modeling and
        distance awareness", https://arxiv.org/abs/2110.02609
    """

    stored_weights = (*RandomFeatureGP.stored_weights, *NOISE_WEIGHTS)
    # One draw for all classes would leave the softmax as it is wherever the
    # variance is that of the Gaussian process.
    shared_noise = False
    own_arguments = (
        *RandomFeatureGP.own_arguments,  # num_samples among them
        "num_factors",
        "link",
        "temperature",
        "parameter_efficient",
        "num_training_samples",
        "het_weight",
    )

    def __init__(
        self,
        units: int,
        num_factors: int = 0,
        link: str = "softmax",
        temperature: float | tuple[float, float] = 1.0,
        parameter_efficient: bool = False,
        num_samples: int = 1024,
        num_training_samples: int = 128,
        het_weight: float = 1.0,
        mean_field_factor: float = 1.0,
        seed: int | None = None,
        **kwargs: Any,
    ):
        check_seed(seed)
        super().__init__(
            units,
            mean_field_factor=mean_field_factor,
            num_samples=num_samples,
            seed=seed,
            **kwargs,
        )
        self.set_noise(
            num_factors=num_factors,
            link=link,
            temperature=temperature,
            parameter_efficient=parameter_efficient,
            num_samples=num_samples,
            num_training_samples=num_training_samples,
        )
        self.het_weight = het_weight
        check_variance_arguments(self)

    def add_own_weights(self, input_dim: int) -> None:
        super().add_own_weights(input_dim)
        self.add_noise_weights(input_dim)

    def call(
        self,
        inputs: Tensor,
        training: bool | None = None,
        mask: Tensor | None = None,
    ) -> Tensor:
        features = self.covariance_features(inputs)
        mean = self._mean(inputs, features)
        stddev = self.stddev(inputs)
        if training:
            self._observe(features, mean, mask)
        else:
            stddev = ops.sqrt(self._total_variance(stddev, features))
        logits = self.noisy_logits(mean, inputs, training, stddev)
        if self.activation is not None:
            logits = self.activation(logits)
        return ops.cast(logits, self.compute_dtype)

    def independent_variance(self, inputs: Tensor) -> Tensor:
        features = self.covariance_features(inputs)
        return self._total_variance(self.stddev(inputs), features)

    def _total_variance(self, stddev: Tensor, features: Tensor) -> Tensor:
        """At inference, of the independent noise: `(batch, ..., units)`."""
        variance = self.covariance(features)
        if len(variance.shape) < len(stddev.shape):
            variance = ops.expand_dims(variance, axis=-1)
        # Before any data the variance is the prior's: use the noise alone.
        factor = self.mean_field * self.covariance.has_data
        total = self.het_weight * ops.square(stddev) + factor * variance
        # The square root of 0 has no gradient.
        return ops.maximum(total, MINIMUM_STDDEV**2)


def check_variance_arguments(layer: HeteroscedasticGP) -> None:
    """Raises for the first argument of the variances that cannot be."""
    for name in ("het_weight", "mean_field_factor"):
        value = getattr(layer, name)
        if not is_number(value) or not 0 <= value < math.inf:
            raise ValueError(
                f"`{name}` must be at least 0. Received: {name}={value!r}"
            )
    known = LIKELIHOODS[layer.link]
    if layer.likelihood not in known:
        raise ValueError(
            f"With `link={layer.link!r}` `likelihood` must be "
            f"{' or '.join(map(repr, known))}. "
            f"Received: likelihood={layer.likelihood!r}"
        )
