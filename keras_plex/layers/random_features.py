"""The features of a Gaussian process: random cosines, or the input itself."""

import math
import random

import keras
from keras import ops

from keras_plex.layers.gp_arguments import DEFAULT_NUM_FEATURES
from keras_plex.layers.gp_arguments import KERNELS
from keras_plex.layers.gp_arguments import check_context_fits
from keras_plex.layers.gp_arguments import check_feature_arguments
from keras_plex.ops.random_features import cosine_features
from keras_plex.ops.random_features import normalize_parts
from keras_plex.ops.random_features import random_phase
from keras_plex.ops.random_features import random_projection
from keras_plex.types import Config
from keras_plex.types import Tensor


@keras.saving.register_keras_serializable("keras_plex")
class RandomFeatures(keras.layers.Layer):
    """Features whose inner product approximates a kernel.

    With `kernel="rbf"` they are `sqrt(2 / D) cos(h W / length_scale + b)` of
    the (normalized) input `h`, with frozen `W` and `b`, and
    `phi(x) . phi(y)` is about `exp(-|x - y|^2 / (2 length_scale^2))`. With
    `kernel="linear"` they are `h / length_scale`. All of it is float32 under
    any dtype policy.

    Args:
        num_features: positive int, `D`. Defaults to `1024`.
        kernel: `"rbf"` or `"linear"`. Defaults to `"rbf"`.
        length_scale: positive float. Defaults to `1.0`.
        orthogonal: bool, whether frequencies come in orthogonal blocks, which
            need fewer features for the same error. Defaults to `True`.
        normalize_input: bool, whether each input is brought to mean 0 and
            variance 1 first. Defaults to `True`.
        trainable_length_scale: bool, whether `length_scale` is where training
            starts. Defaults to `False`.
        context_dim: int, how many of the last numbers of an input are
            normalized on their own. Defaults to `0`.
        seed: int, of `W` and `b`. Defaults to a random one.
        **kwargs: arguments of `keras.layers.Layer`.

    Input shape:
        `(batch, ..., input_dim)`.

    Output shape:
        `(batch, ..., num_features)` float32; `(batch, ..., input_dim)` for the
        linear kernel.

    Example:

    >>> layer = RandomFeatures(4096, normalize_input=False, seed=0)
    >>> x = np.array([[0.0, 0.0], [1.0, 0.0]], "float32")
    >>> phi = ops.convert_to_numpy(layer(x))
    >>> [round(float(k), 1) for k in phi @ phi[0]]  # 1 and exp(-1 / 2)
    [1.0, 0.6]

    Reference:
        Rahimi and Recht, 2007, "Random features for large-scale kernel
        machines"; Yu et al., 2016, "Orthogonal random features".
    """

    def __init__(
        self,
        num_features: int = DEFAULT_NUM_FEATURES,
        kernel: str = "rbf",
        length_scale: float = 1.0,
        orthogonal: bool = True,
        normalize_input: bool = True,
        trainable_length_scale: bool = False,
        context_dim: int = 0,
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(**{**kwargs, "dtype": "float32"})
        self.num_features = num_features
        self.kernel = kernel
        self.length_scale = length_scale
        self.orthogonal = orthogonal
        self.normalize_input = normalize_input
        self.trainable_length_scale = trainable_length_scale
        self.context_dim = context_dim
        self.seed = seed
        self.supports_masking = True
        check_feature_arguments(self)

    def build(self, input_shape: tuple) -> None:
        check_context_fits(self.context_dim, input_shape)
        self.projection = self.phase = self.log_length_scale = None
        if KERNELS[self.kernel]:
            seed = random.randint(1, 10**9) if self.seed is None else self.seed
            shape = (input_shape[-1], self.num_features)
            projection = random_projection(*shape, self.orthogonal, seed)
            phase = random_phase(self.num_features, seed)
            self.projection = self._add_constant("projection", projection)
            self.phase = self._add_constant("phase", phase)
        if self.trainable_length_scale:
            self.log_length_scale = self.add_weight(
                name="log_length_scale",
                shape=(),
                initializer=keras.initializers.Constant(
                    math.log(self.length_scale)
                ),
            )
        self.built = True

    def _add_constant(self, name: str, value) -> keras.Variable:
        return self.add_weight(
            name=name,
            shape=value.shape,
            initializer=lambda shape, dtype: ops.convert_to_tensor(
                value, dtype
            ),
            trainable=False,
        )

    def call(self, inputs: Tensor) -> Tensor:
        # Keras casts floats alone; bags of words are integers.
        x = ops.cast(inputs, self.compute_dtype)
        if self.normalize_input:
            x = normalize_parts(x, self.context_dim)
        scale = self.length_scale
        if self.log_length_scale is not None:
            scale = ops.exp(self.log_length_scale)
        x = x / scale
        if self.projection is None:
            return x
        return cosine_features(x, self.projection, self.phase)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        if not KERNELS[self.kernel]:
            return tuple(input_shape)
        return (*input_shape[:-1], self.num_features)

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "num_features": self.num_features,
            "kernel": self.kernel,
            "length_scale": self.length_scale,
            "orthogonal": self.orthogonal,
            "normalize_input": self.normalize_input,
            "trainable_length_scale": self.trainable_length_scale,
            "context_dim": self.context_dim,
            "seed": self.seed,
        }
