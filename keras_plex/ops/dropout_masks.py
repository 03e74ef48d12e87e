"""What each member of a Monte Carlo dropout ensemble keeps."""

from collections.abc import Sequence

from keras import ops

from keras_plex.ops.hashing import BITS
from keras_plex.ops.hashing import MASK
from keras_plex.ops.hashing import mix
from keras_plex.ops.hashing import word
from keras_plex.ops.hashing import word_dtype
from keras_plex.types import Tensor


def dropout_masks(
    seed: int, layer: int, ensemble_size: int, shape: Sequence, rate: float
) -> Tensor:
    """Zeros with probability `rate`, else `1 / (1 - rate)`: one on average.

    A number is a function of the seed, the layer, the member and its place
    alone: a longer sequence begins with the masks of a shorter one.

    Args:
        seed: int.
        layer: int, which of the model's layers.
        ensemble_size: positive int, the number of members.
        shape: of one member's mask: ints, or scalar tensors where an axis is
            dynamic.
        rate: float, at least 0 and below 1.

    Returns:
        `(ensemble_size, *shape)` float32.
    """
    key = mix(ops.bitwise_xor(mix(word(seed)), mix(word(layer))))
    bits = _along_new_axis(key, ensemble_size)
    for size in shape:
        bits = _along_new_axis(bits, size)
    is_kept = bits >= word(min(round(rate * 2**BITS), MASK))
    return ops.cast(is_kept, "float32") / (1.0 - rate)


def _along_new_axis(bits: Tensor, size: int | Tensor) -> Tensor:
    # (...) -> (..., size)
    places = mix(ops.arange(size, dtype=word_dtype()))
    return mix(ops.bitwise_xor(ops.expand_dims(bits, -1), places))
