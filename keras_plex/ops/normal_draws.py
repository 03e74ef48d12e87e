"""Standard normal numbers that do not depend on who computes them."""

import math

import keras
from keras import ops

from keras_plex.ops.hashing import BITS
from keras_plex.ops.hashing import MASK
from keras_plex.ops.hashing import mix
from keras_plex.ops.hashing import word
from keras_plex.ops.hashing import word_dtype
from keras_plex.types import Tensor

FRACTION_BITS = 23


def draw_key(seed: int | keras.random.SeedGenerator) -> Tensor:
    """What `normal_draws` starts from: a scalar integer tensor.

    An int gives the same key each time, a `SeedGenerator` one after another.
    """
    if isinstance(seed, keras.random.SeedGenerator):
        state = ops.cast(seed.next(), word_dtype())
    else:
        state = ops.stack([word(seed), word(0)])
    state = ops.bitwise_and(state, word(MASK))
    return mix(ops.bitwise_xor(mix(state[0]), state[1]))


def normal_draws(key: Tensor, samples: Tensor, width: int) -> Tensor:
    """Standard normal numbers, of which two samples make an antithetic pair.

    The number at `(sample, column)` is a function of the key, the sample and
    the column alone; an odd sample is minus the even one before it, so that
    whatever is odd in the noise averages out.

    Args:
        key: from `draw_key`.
        samples: `(samples,)` integers, which ones.
        width: how many numbers each sample has.

    Returns:
        `(samples, width)` float32.
    """
    samples = ops.cast(samples, word_dtype())
    rows = mix(ops.right_shift(samples, word(1)))
    # Mixed again, or sample i in column j were sample j in column i.
    rows = mix(ops.bitwise_xor(key, rows))
    columns = mix(ops.arange(width, dtype=word_dtype()))
    bits = mix(ops.bitwise_xor(rows[:, None], columns[None, :]))
    # 23 bits, so that no odd multiple of 2 ** -23 rounds to 1 in float32.
    bits = ops.right_shift(bits, word(BITS - FRACTION_BITS))
    odd = 2.0 * ops.cast(bits, "float32") + 1.0
    normal = math.sqrt(2.0) * ops.erfinv(odd * 2.0**-FRACTION_BITS - 1.0)
    is_odd = ops.cast(ops.bitwise_and(samples, word(1)), "float32")
    return normal * (1.0 - 2.0 * is_odd)[:, None]
