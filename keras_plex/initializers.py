"""Initializers for members' weights, in the manner of `keras.initializers`."""

import keras
from keras import ops

from keras_plex.checks import is_number
from keras_plex.types import Config
from keras_plex.types import Tensor


@keras.saving.register_keras_serializable("keras_plex")
class RandomSign(keras.initializers.RandomUniform):
    """Draws `+1` with a given probability, else `-1`.

    As the start of fast weights it makes members that differ much from each
    other and not at all in scale: for training from scratch, where there is no
    pretrained forecast to keep.

    Args:
        probability: float between 0 and 1, that of `+1`. Defaults to `0.5`.
        seed: int, `keras.random.SeedGenerator` or `None`; as for
            `keras.initializers.RandomUniform`, an initializer repeats its draw
            unless it has a generator.

    Example:

    >>> signs = RandomSign(seed=0)(shape=(100,))
    >>> np.unique(signs).tolist()
    [-1.0, 1.0]

    Reference:
        Wen, Tran and Ba, 2020, "BatchEnsemble: an alternative approach to
        efficient ensemble and lifelong learning",
        https://arxiv.org/abs/2002.06715
    """

    def __init__(
        self,
        probability: float = 0.5,
        seed: int | keras.random.SeedGenerator | None = None,
    ):
        if not is_number(probability) or not 0 <= probability <= 1:
            raise ValueError(
                "`probability` must be a number between 0 and 1. "
                f"Received: probability={probability!r}"
            )
        super().__init__(minval=0.0, maxval=1.0, seed=seed)
        self.probability = probability

    def __call__(self, shape: tuple, dtype: str | None = None) -> Tensor:
        uniform = super().__call__(shape, "float32")
        signs = ops.where(uniform < self.probability, 1.0, -1.0)
        return ops.cast(signs, dtype or keras.config.floatx())

    def get_config(self) -> Config:
        seed = super().get_config()["seed"]
        return {"probability": self.probability, "seed": seed}


# Names for `fast_weight_initializer`, beside those that Keras knows.
NAMES = {"RandomSign": RandomSign, "random_sign": RandomSign}


def get_initializer(identifier) -> keras.initializers.Initializer:
    """`keras.initializers.get`, which also knows the names of this file."""
    if isinstance(identifier, str) and identifier in NAMES:
        return NAMES[identifier]()
    return keras.initializers.get(identifier)
