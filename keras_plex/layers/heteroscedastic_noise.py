"""What heteroscedastic output layers share: noise that depends on the input."""

import math
from collections.abc import Sequence
from typing import Any

import keras
from keras import initializers
from keras import ops

from keras_plex.layers.heteroscedastic_arguments import check_noise_arguments
from keras_plex.ops.monte_carlo import monte_carlo_logits
from keras_plex.ops.noise import FactorNoise
from keras_plex.ops.noise import IndependentNoise
from keras_plex.ops.noise import Noise
from keras_plex.ops.noise import ScaledFactorNoise
from keras_plex.types import Tensor

NOISE_WEIGHTS = (
    "stddev_kernel",
    "stddev_bias",
    "factor_kernel",
    "factor_bias",
    "scale_kernel",
    "scale_bias",
    "loadings",
    "raw_temperature",
)
MINIMUM_STDDEV = 1e-3
# For every input. Small, so that a finished classifier starts about as it was;
# the softplus of much less would hardly learn.
INITIAL_STDDEV = 0.3
INITIAL_FACTOR_STDDEV = 0.1


class HeteroscedasticNoise:
    """Mixin of an output layer whose class utilities are noisy.

    `u = mean(x) + factors(x) e_R + stddev(x) * e_K`; the forecast is the mean
    link of `u / temperature`. The layer makes the mean; this adds the rest.
    """

    def set_noise(self, **arguments: Any) -> None:
        for name, value in arguments.items():
            setattr(self, name, value)
        if isinstance(self.temperature, list):
            self.temperature = tuple(self.temperature)
        check_noise_arguments(self)

    def add_noise_weights(self, input_dim: int) -> None:
        for name in NOISE_WEIGHTS:
            setattr(self, name, None)
        self.seed_generator = keras.random.SeedGenerator(self.seed)
        units, factors = self.units, self.num_factors
        start = math.log(math.expm1(INITIAL_STDDEV - MINIMUM_STDDEV))
        self._add_affine("stddev", input_dim, (units,), start)
        if factors:
            # A Keras initializer repeats the draws of another with its seed.
            seed = None if self.seed is None else self.seed + 2
            stddev = INITIAL_FACTOR_STDDEV / math.sqrt(factors)
            draw = initializers.RandomNormal(stddev=stddev, seed=seed)
            if self.parameter_efficient:
                self._add_affine("scale", input_dim, (units,), 1.0)
                self.loadings = self.add_weight(
                    name="loadings", shape=(factors, units), initializer=draw
                )
            else:
                self._add_affine("factor", input_dim, (factors, units), draw)
        if isinstance(self.temperature, tuple):
            self.raw_temperature = self.add_weight(
                name="raw_temperature",
                shape=(),
                initializer=initializers.Constant(
                    initial_raw_temperature(*self.temperature)
                ),
                dtype="float32",
                autocast=False,
            )

    def noisy_logits(
        self,
        mean: Tensor,
        inputs: Tensor,
        training: bool | None,
        stddev: Tensor | None = None,
    ) -> Tensor:
        """The forecast's logits: `(batch, ..., units)`, float32 at least.

        Args:
            mean: of the utilities, `(batch, ..., units)`.
            inputs: of the layer.
            training: whether the noise is new at each call.
            stddev: of the independent noise; that of the layer by default.
        """
        if stddev is None:
            stddev = self.stddev(inputs)
        inverse = 1.0 / self.current_temperature()
        width = 1 if self.shared_noise else self.units
        noises: list[tuple[Noise, Sequence[Tensor]]] = [
            (IndependentNoise(width), (ops.multiply(stddev, inverse),))
        ]
        if self.loadings is not None:
            scale = self._affine(inputs, "scale", inverse)
            noise = ScaledFactorNoise(self.num_factors)
            noises.append((noise, (scale, self.loadings)))
        elif self.num_factors:
            factors = self._affine(inputs, "factor", inverse)
            noises.append((FactorNoise(self.num_factors), (factors,)))
        mean = ops.cast(mean, self._noise_dtype) * inverse
        samples, seed = self.num_samples, self.seed or 0
        if training:
            samples, seed = self.num_training_samples, self.seed_generator
        return monte_carlo_logits(mean, noises, samples, self.link, seed)

    def stddev(self, inputs: Tensor) -> Tensor:
        """Learned, of the independent noise: `(batch, ..., units)`."""
        raw = self._affine(inputs, "stddev")
        return ops.softplus(raw) + MINIMUM_STDDEV

    def independent_variance(self, inputs: Tensor) -> Tensor:
        """Of the noise that classes do not share: `(batch, ..., units)`."""
        return ops.square(self.stddev(inputs))

    def predictive_variance(self, inputs: Tensor) -> Tensor:
        """Variance of each utility, before the temperature.

        `(batch, ..., units)`; the diagonal of their covariance.
        """
        if not self.built:
            raise ValueError(f"{self.name!r} is not built; call it first.")
        variance = self.independent_variance(inputs)
        if self.loadings is not None:
            scale = self._affine(inputs, "scale")
            loadings = ops.cast(self.loadings, self._noise_dtype)
            variance += ops.square(scale) * ops.sum(
                ops.square(loadings), axis=0
            )
        elif self.num_factors:
            factors = self._affine(inputs, "factor")
            variance += ops.sum(ops.square(factors), axis=-2)
        return variance

    def current_temperature(self) -> float | Tensor:
        """What the utilities are divided by."""
        if self.raw_temperature is None:
            return self.temperature
        low, high = self.temperature
        share = ops.sigmoid(ops.cast(self.raw_temperature, self._noise_dtype))
        return low + (high - low) * share

    @property
    def _noise_dtype(self) -> str:
        return keras.backend.result_type(self.compute_dtype, "float32")

    def _affine(
        self, inputs: Tensor, name: str, factor: float | Tensor = 1.0
    ) -> Tensor:
        """`factor` times what a dense layer makes of the inputs."""
        kernel = getattr(self, f"{name}_kernel")
        bias = ops.cast(getattr(self, f"{name}_bias"), self._noise_dtype)
        kernel = ops.cast(kernel, self.compute_dtype)
        x = ops.cast(inputs, self.compute_dtype)
        x = ops.cast(ops.matmul(x, kernel), self._noise_dtype)
        if len(bias.shape) > 1:
            x = ops.reshape(x, (*ops.shape(x)[:-1], *bias.shape))
        return (x + bias) * factor

    def _add_affine(
        self,
        name: str,
        input_dim: int,
        shape: tuple[int, ...],
        bias: float | initializers.Initializer,
    ) -> None:
        if not isinstance(bias, initializers.Initializer):
            bias = initializers.Constant(bias)
        # A kernel of zeros: whatever the scale of the inputs, the noise
        # starts the same.
        kernel = self.add_weight(
            name=f"{name}_kernel",
            shape=(input_dim, math.prod(shape)),
            initializer="zeros",
        )
        setattr(self, f"{name}_kernel", kernel)
        weight = self.add_weight(
            name=f"{name}_bias", shape=shape, initializer=bias
        )
        setattr(self, f"{name}_bias", weight)


def initial_raw_temperature(low: float, high: float) -> float:
    """Where the learned temperature starts: at 1, or the middle of its range.

    The temperature is `low + (high - low) * sigmoid(raw)`.
    """
    share = (1.0 - low) / (high - low)
    return math.log(share / (1.0 - share)) if 0.0 < share < 1.0 else 0.0
