"""Words of 32 random bits that do not depend on who computes them.

`keras.random` gives other numbers under XLA than in a plain TensorFlow graph,
and others again on JAX and PyTorch: a forecast would depend on its compiler.
"""

import keras
from keras import ops

from keras_plex.types import Tensor

BITS = 32
MASK = 0xFFFFFFFF
INCREMENT = 0x9E3779B9
MULTIPLIER = 0x119DE1F3


def mix(x: Tensor) -> Tensor:
    """A bijection of 32-bit words, each bit of which depends on all bits.

    Args:
        x: words of `word_dtype()`.
    """
    x = ops.bitwise_and(x + word(INCREMENT), word(MASK))
    for _ in range(2):
        x = ops.bitwise_xor(x, ops.right_shift(x, word(16)))
        x = ops.bitwise_and(x * word(MULTIPLIER), word(MASK))
    return ops.bitwise_xor(x, ops.right_shift(x, word(16)))


def word(value: int) -> Tensor:
    """An int, of which the lower 32 bits count, as a tensor."""
    return ops.convert_to_tensor(value & MASK, dtype=word_dtype())


def word_dtype() -> str:
    """The integers that can hold and multiply words on this backend."""
    # JAX has no int64 by default, TensorFlow and PyTorch no uint32 arithmetic.
    return "uint32" if keras.config.backend() == "jax" else "int64"
