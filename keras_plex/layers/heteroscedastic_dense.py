"""A dense output layer whose class scores are noisy, more for some inputs."""

import keras
from keras import initializers
from keras import ops

from keras_plex.checks import check_seed
from keras_plex.layers.heteroscedastic_noise import NOISE_WEIGHTS
from keras_plex.layers.heteroscedastic_noise import HeteroscedasticNoise
from keras_plex.layers.takeover import take_over_dense
from keras_plex.types import Config
from keras_plex.types import Tensor


@keras.saving.register_keras_serializable("keras_plex")
class HeteroscedasticDense(HeteroscedasticNoise, keras.layers.Dense):
    """A dense output layer that learns which labels are noisy.

    Use it in place of the output layer of a classifier whose labels are
    ambiguous or wrong for some inputs. The utility of each class is Gaussian,
    its mean a dense layer, its noise a function of the input, too:

    `u = x @ kernel + bias + e_R @ factors(x) + stddev(x) * e_K`

    with standard normal `e_R`, one for each factor, which correlates classes
    that are mistaken for each other, and `e_K`, one for each class. The
    forecast is the mean over samples of `softmax(u / temperature)`, and the
    outputs are its logs: train with the usual loss, `from_logits=True`.

    Forecasts use the same draws each time, training new ones at each step. The
    noise starts small, with standard deviations 0.1 (factors) and 0.3 for every
    input, so that a finished classifier starts about as it was: `from_layer`.

    Args:
        units: positive int, the number of classes.
        num_factors: int, at most `units`: the rank of the noise that classes
            share. 0 leaves independent noise. Defaults to `0`.
        link: `"softmax"` for classes that exclude each other, `"sigmoid"` for
            independent labels, whose outputs are the logits of the mean
            sigmoids. Defaults to `"softmax"`.
        temperature: positive float, which divides the mean, too; or a pair
            `(low, high)` between which it is learned, starting at 1 if that
            lies between them, else in the middle. Defaults to `1.0`.
        parameter_efficient: bool. `False` predicts the factors from the input
            with `num_factors * units * (input_dim + 1)` weights, and holds
            `num_factors * units` numbers for each example; `True` learns one
            set of factors and predicts a scale for each class, with
            `units * (num_factors + input_dim + 1)` weights: take it for many
            classes. Defaults to `False`.
        shared_noise: bool, whether one `e_K` serves all classes, as in the JAX
            code of the Plex paper. Defaults to `False`.
        num_samples: positive int, at inference. Defaults to `1024`.
        num_training_samples: positive int. Defaults to `128`.
        seed: int, of weights and noise. Defaults to random weights and
            training noise.
        **kwargs: the arguments of `keras.layers.Dense`; `activation` can be
            `None` or the link, for probabilities.

    Input shape:
        `(batch, ..., input_dim)`.

    Output shape:
        `(batch, ..., units)`: log probabilities, or logits for `"sigmoid"`.

    Example:

    >>> layer = HeteroscedasticDense(5, num_factors=2, seed=0)
    >>> x = np.random.default_rng(0).normal(size=(3, 8)).astype("float32")
    >>> bool(np.allclose(ops.sum(ops.exp(layer(x)), axis=-1), 1.0))
    True
    >>> tuple(layer.predictive_variance(x).shape)
    (3, 5)

    Reference:
        Collier et al., 2021, "Correlated input-dependent label noise in
        large-scale image classification", https://arxiv.org/abs/2105.10305
    """

    # What a conversion sets when it gives a built Dense layer this class.
    own_arguments = (
        "num_factors",
        "link",
        "temperature",
        "parameter_efficient",
        "shared_noise",
        "num_samples",
        "num_training_samples",
        "seed",
    )

    def __init__(
        self,
        units: int,
        num_factors: int = 0,
        link: str = "softmax",
        temperature: float | tuple[float, float] = 1.0,
        parameter_efficient: bool = False,
        shared_noise: bool = False,
        num_samples: int = 1024,
        num_training_samples: int = 128,
        seed: int | None = None,
        **kwargs,
    ):
        check_seed(seed)
        draw = initializers.GlorotUniform(seed)
        super().__init__(units, **{"kernel_initializer": draw, **kwargs})
        self.seed = seed
        self.set_noise(
            num_factors=num_factors,
            link=link,
            temperature=temperature,
            parameter_efficient=parameter_efficient,
            shared_noise=shared_noise,
            num_samples=num_samples,
            num_training_samples=num_training_samples,
        )

    def build(self, input_shape: tuple) -> None:
        # Enabling LoRA ends a build: it comes last.
        lora_rank, self.lora_rank = self.lora_rank, None
        super().build(input_shape)
        self.add_own_weights(input_shape[-1])
        if lora_rank:
            self.enable_lora(lora_rank, lora_alpha=self.lora_alpha)

    def add_own_weights(self, input_dim: int) -> None:
        if self.quantization_mode is not None:
            raise NotImplementedError(self._no_quantization())
        self.add_noise_weights(input_dim)

    def call(self, inputs: Tensor, training: bool | None = None) -> Tensor:
        mean = ops.matmul(inputs, self.kernel)
        if self.bias is not None:
            mean = ops.add(mean, self.bias)
        logits = self.noisy_logits(mean, inputs, training)
        if self.activation is not None:
            logits = self.activation(logits)
        return ops.cast(logits, self.compute_dtype)

    @classmethod
    def from_layer(
        cls, layer: keras.layers.Dense, **arguments
    ) -> "HeteroscedasticDense":
        """A new layer whose mean is a built `Dense` layer.

        Args:
            layer: a built `keras.layers.Dense`, left as it is. LoRA weights
                are merged into the kernel.
            **arguments: of `HeteroscedasticDense`.
        """
        return take_over_dense(cls, layer, arguments)

    def quantize(self, mode=None, type_check=True, config=None) -> None:
        raise NotImplementedError(self._no_quantization())

    def _no_quantization(self) -> str:
        return (
            f"A {type(self).__name__} cannot be quantized: its noise is drawn "
            "in floating point. Leave it as it is. "
            f"Received: layer={self.name!r}"
        )

    def save_own_variables(self, store: dict) -> None:
        super().save_own_variables(store)  # kernel and bias
        for name in NOISE_WEIGHTS:
            if getattr(self, name) is not None:
                store[name] = getattr(self, name)

    def load_own_variables(self, store: dict) -> None:
        kernel = next(v for v in self.weights if v.name == "kernel")
        kernel.assign(store["0"])
        if self.lora_enabled:
            self.lora_kernel_b.assign(ops.zeros(self.lora_kernel_b.shape))
        if self.bias is not None:
            self.bias.assign(store["1"])
        # A stock layer's file has no noise: it stays as it is.
        for name in NOISE_WEIGHTS:
            if getattr(self, name) is not None and name in store.keys():
                getattr(self, name).assign(store[name])

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            **{name: getattr(self, name) for name in self.own_arguments},
        }
