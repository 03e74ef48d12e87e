"""A Gaussian-process output layer from random Fourier features."""

import random

import keras
from keras import activations
from keras import ops

from keras_plex.layers.covariance_head import CovarianceHead
from keras_plex.layers.gp_arguments import DEFAULT_NUM_FEATURES
from keras_plex.layers.gp_arguments import MEAN_FUNCTIONS
from keras_plex.layers.gp_arguments import check_context_fits
from keras_plex.layers.gp_arguments import check_gp_arguments
from keras_plex.layers.likelihoods import LIKELIHOODS
from keras_plex.layers.likelihoods import sample_forecast
from keras_plex.layers.random_features import RandomFeatures
from keras_plex.layers.takeover import check_takeover
from keras_plex.types import Config
from keras_plex.types import Tensor

FEATURE_ARGUMENTS = (
    "num_features",
    "kernel",
    "length_scale",
    "orthogonal",
    "normalize_input",
    "trainable_length_scale",
    "context_dim",
)


@keras.saving.register_keras_serializable("keras_plex")
class RandomFeatureGP(CovarianceHead, keras.layers.Layer):
    """A dense output layer that knows how far an input is from its data.

    `logits = mean(x) + phi(x) @ residual_kernel`, with random features
    `phi(x) = sqrt(2 / D) cos(h W / length_scale + b)` of the (normalized) input
    `h`, frozen `W` and `b`, and a Laplace approximation of the residual's
    covariance. At inference the logits, once data has been seen, are divided by
    `sqrt(1 + mean_field_factor * variance(x))`: far from the data the forecast
    turns flat. Before, they are multiplied by `logit_scale`, a weight that is 1
    until `PlexModel.fit` fits it. With `normalize_input` only the direction of
    an input counts.

    With `kernel="rbf"` and `normalize_input=False` it approximates the exact
    Gaussian process with kernel `exp(-|x - y|^2 / (2 length_scale^2))` and
    noise variance `ridge_penalty`, whose posterior variance `variance` returns.

    In training each row joins the precision matrix, whatever its sample weight,
    unless the call's `mask` says it is padding. In a model of your own use
    `callbacks.ResetCovariance`.

    Args:
        units: positive int, the number of outputs.
        num_features: positive int, the random features `D`. Defaults to
            `1024`.
        kernel: `"rbf"`, or `"linear"` for `phi(x) = h / length_scale`.
        length_scale: positive float, in units of the (normalized) input, whose
            norm is about `sqrt(input_dim)`. Defaults to `1.0`.
        orthogonal: bool, whether frequencies come in orthogonal blocks.
            Defaults to `True`.
        normalize_input: bool, whether each input is brought to mean 0 and
            variance 1 first. Defaults to `True`.
        ridge_penalty: positive float, the noise variance; other likelihoods'
            logarithm is divided by it. Defaults to `1.0`.
        momentum: `None` for the exact sum over an epoch, or a float in
            `(0, 1)` for a moving average. Defaults to `None`.
        likelihood: `"gaussian"`: one covariance for all units;
            `"binary_logistic"` (logits) or `"poisson"` (log rates): for one
            unit; `"softmax"`: a covariance for each class, weighted by
            `p (1 - p)`, in `8 * units * D ** 2` bytes. Defaults to
            `"gaussian"`.
        mean_function: `"zero"`, or `"linear"` for a dense layer, `kernel` and
            `bias`, to which the residual, starting at zero, is added. Defaults
            to `"zero"`.
        mean_field_factor: float >= 0; 0 leaves the logits alone, as for
            regression. `None` starts at 5.0 for gaussian, 1.0 for Poisson, and
            pi / 8 for the other likelihoods, and `PlexModel.fit` fits it, and
            the scale of the logits, to the validation data it is given.
            Defaults to `None`.
        seed: int, of the frequencies. Defaults to a random one.
        activation: applied last. Defaults to `None`.
        use_bias: bool, whether the mean has a bias. Defaults to `True`.
        trainable_length_scale: bool, whether `length_scale` is where training
            starts. Defaults to `False`.
        num_samples: int; a positive number averages the forecast over as many
            draws, the same at each call. Defaults to `0`, the mean field.
        context_dim: int; so many of the last numbers of an input, such as
            pooled features of an early layer, are for the kernel (and the
            noise of `HeteroscedasticGP`), not the linear mean. Defaults to `0`.
        **kwargs: arguments of `keras.layers.Layer`.

    Input shape:
        `(batch, ..., input_dim)`.

    Output shape:
        `(batch, ..., units)`.

    Example:

    >>> layer = RandomFeatureGP(3, num_features=64, seed=0)
    >>> x = np.random.default_rng(0).normal(size=(100, 8)).astype("float32")
    >>> logits = layer(x, training=True)  # adds x to the precision
    >>> layer.update_covariance()
    >>> layer.variance(x).shape
    TensorShape([100])

    Reference:
        Liu et al., 2020, "Simple and principled uncertainty estimation with
        deterministic deep learning via distance awareness",
        https://arxiv.org/abs/2006.10108
    """

    # What a conversion sets when it gives a built Dense layer this class.
    own_arguments = (
        "num_features",
        "kernel",
        "length_scale",
        "orthogonal",
        "normalize_input",
        "ridge_penalty",
        "momentum",
        "likelihood",
        "mean_function",
        "mean_field_factor",
        "seed",
        "trainable_length_scale",
        "num_samples",
        "context_dim",
    )

    def __init__(
        self,
        units: int,
        num_features: int = DEFAULT_NUM_FEATURES,
        kernel: str = "rbf",
        length_scale: float = 1.0,
        orthogonal: bool = True,
        normalize_input: bool = True,
        ridge_penalty: float = 1.0,
        momentum: float | None = None,
        likelihood: str = "gaussian",
        mean_function: str = "zero",
        mean_field_factor: float | None = None,
        seed: int | None = None,
        activation: str | None = None,
        use_bias: bool = True,
        trainable_length_scale: bool = False,
        num_samples: int = 0,
        context_dim: int = 0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.units = units
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.num_features = num_features
        self.kernel = kernel
        self.length_scale = length_scale
        self.orthogonal = orthogonal
        self.normalize_input = normalize_input
        self.ridge_penalty = ridge_penalty
        self.momentum = momentum
        self.likelihood = likelihood
        self.mean_function = mean_function
        self.mean_field_factor = mean_field_factor
        self.seed = seed
        self.trainable_length_scale = trainable_length_scale
        self.num_samples = num_samples
        self.context_dim = context_dim
        self.supports_masking = True
        check_gp_arguments(self)

    def build(self, input_shape: tuple) -> None:
        check_context_fits(self.context_dim, input_shape)
        input_dim = input_shape[-1]
        self.mean_kernel = None
        if MEAN_FUNCTIONS[self.mean_function]:
            self.mean_kernel = self.add_weight(
                name="mean_kernel",
                shape=(input_dim - self.context_dim, self.units),
                initializer=keras.initializers.GlorotUniform(self.seed),
            )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias", shape=(self.units,), initializer="zeros"
            )
        self.add_own_weights(input_dim)
        self.input_spec = keras.InputSpec(min_ndim=2, axes={-1: input_dim})
        self.built = True

    def add_own_weights(self, input_dim: int) -> None:
        seed = random.randint(1, 10**9) if self.seed is None else self.seed
        self.features = RandomFeatures(
            **{name: getattr(self, name) for name in FEATURE_ARGUMENTS},
            seed=seed,
            name="features",
        )
        self.features.build((None, input_dim))
        shape = self.features.compute_output_shape((None, input_dim))
        is_residual = MEAN_FUNCTIONS[self.mean_function]
        draw = keras.initializers.GlorotUniform(seed + 1)
        self.residual_kernel = self.add_weight(
            name="residual_kernel",
            shape=(shape[-1], self.residual_units),
            initializer="zeros" if is_residual else draw,
            dtype="float32",
            autocast=False,
        )
        is_classwise = LIKELIHOODS[self.likelihood].is_classwise
        self.add_covariance(
            shape[-1],
            self.ridge_penalty,
            self.momentum,
            num_classes=self.units if is_classwise else None,
        )

    def covariance_features(self, inputs: Tensor) -> Tensor:
        """`phi(x)`: `(batch, ..., num_features)` float32."""
        if not self.built:
            raise ValueError(f"{self.name!r} is not built; call it first.")
        return self.features(inputs)

    def curvature(self, logits: Tensor) -> Tensor | None:
        """The weight of each row in the precision."""
        curvature = LIKELIHOODS[self.likelihood].curvature
        return None if curvature is None else curvature(logits)

    def flatten(
        self, logits: Tensor, variance: Tensor, factor: Tensor
    ) -> Tensor:
        """Logits of the forecast, given their variance."""
        if not self.num_samples:
            flatten = LIKELIHOODS[self.likelihood].flatten
            return flatten(logits, variance, factor)
        return sample_forecast(
            self.likelihood, logits, variance, factor, self.num_samples
        )

    @property
    def residual_units(self) -> int:
        """The outputs of the residual kernel."""
        return self.units

    @property
    def typical_factor(self) -> float:
        """The mean-field factor where none is given or fitted."""
        return LIKELIHOODS[self.likelihood].typical_factor

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return (*input_shape[:-1], self.units)

    @classmethod
    def from_layer(
        cls, layer: keras.layers.Dense, **arguments
    ) -> "RandomFeatureGP":
        """A new GP whose mean function is a built `Dense` layer.

        Args:
            layer: a built `keras.layers.Dense`, left as it is; the new layer
                takes over its weights, name, activation and dtype policy.
            **arguments: of `RandomFeatureGP`; `mean_function="linear"`.
        """
        check_takeover(cls.__name__, keras.layers.Dense, layer)
        new = cls(
            layer.units,
            activation=layer.activation,
            use_bias=layer.use_bias,
            name=layer.name,
            dtype=layer.dtype_policy,
            trainable=layer.trainable,
            **{"mean_function": "linear", **arguments},
        )
        new.build((None, layer.kernel.shape[0] + new.context_dim))
        if new.mean_kernel is not None:
            new.mean_kernel.assign(ops.copy(layer.kernel))
            if layer.bias is not None:
                new.bias.assign(ops.copy(layer.bias))
        return new

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "units": self.units,
            "activation": activations.serialize(self.activation),
            "use_bias": self.use_bias,
            **{name: getattr(self, name) for name in self.own_arguments},
        }

    def _mean(self, inputs: Tensor, features: Tensor) -> Tensor:
        logits = ops.matmul(features, self.residual_kernel)
        if self.mean_kernel is not None:
            if self.context_dim:
                inputs = inputs[..., : -self.context_dim]
            linear = ops.matmul(inputs, self.mean_kernel)
            logits = logits + ops.cast(linear, "float32")
        if self.bias is not None:
            logits = logits + ops.cast(self.bias, "float32")
        return logits
