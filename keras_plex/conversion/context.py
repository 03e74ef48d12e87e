"""What enters a model's first block, beside the features at its end.

Features that learnt two classes cannot tell a question from an opinion; the
mean of the word embeddings can.
"""

from typing import Any

import keras
from keras import ops

from keras_plex.conversion import forward_pass
from keras_plex.conversion.surgery import named_arguments
from keras_plex.ops.ensemble_axis import tile_members
from keras_plex.ops.masks import keras_mask
from keras_plex.tables import lookup
from keras_plex.types import Config
from keras_plex.types import Tensor

KERNEL_INPUTS_OPTION = "kernel_inputs"
# What a Gaussian process compares -> whether the first block's inputs join.
KERNEL_INPUTS = {"last": False, "first_and_last": True}


def split_kernel_inputs(options: Config) -> tuple[bool | None, Config]:
    """Whether the first block's inputs join, and the options of the layer.

    `None` says that nothing was chosen.
    """
    options = dict(options)
    if KERNEL_INPUTS_OPTION not in options:
        return None, options
    chosen = options.pop(KERNEL_INPUTS_OPTION)
    return lookup(KERNEL_INPUTS, chosen, KERNEL_INPUTS_OPTION), options


def with_kernel_inputs(options: Config, joins: bool) -> Config:
    """The options with a choice that `split_kernel_inputs` reads."""
    (name,) = [name for name, value in KERNEL_INPUTS.items() if value is joins]
    return {**options, KERNEL_INPUTS_OPTION: name}


class RecordsContext:
    """Mixin in front of the first block: the mean of its tokens is kept."""

    # Arguments that `find_shared_masks` found.
    context_shared_masks: tuple[str, ...] = ()

    def __call__(self, *args, **kwargs):
        named = named_arguments(self, args, kwargs)
        tokens = next(iter(named.values()))
        for name in self.context_shared_masks:
            named.pop(name, None)
        forward_pass.record_context(mean_token(tokens, _token_mask(named)))
        return super().__call__(*args, **kwargs)


class JoinsContext:
    """Mixin in front of an output layer: the context follows the features."""

    def __call__(self, inputs: Tensor, *args, **kwargs):
        context = forward_pass.context()
        if context is None:
            raise ValueError(
                f"The Gaussian process {self.path!r} also compares what enters "
                "the first block, which only a pass through the converted "
                "model knows, not one through a `keras.Model` of some of its "
                "layers. Call the whole converted model, or convert with "
                f'`head_options={{"{KERNEL_INPUTS_OPTION}": "last"}}`.'
            )
        # Rows of members may have begun anywhere between the two.
        context = tile_members(context, self.context_ensemble_size)
        context = context[: ops.shape(inputs)[0]]
        context = ops.cast(context, inputs.dtype)
        joined = ops.concatenate([inputs, context], axis=-1)
        return super().__call__(joined, *args, **kwargs)


def mean_token(tokens: Tensor, mask: Tensor | None) -> Tensor:
    """The mean of the tokens of each example: `(batch, dim)` float32.

    Args:
        tokens: `(batch, ..., dim)`.
        mask: `(batch, ...)`, zero where there is no token; or `None`.
    """
    tokens = ops.cast(tokens, "float32")
    axes = tuple(range(1, len(tokens.shape) - 1))
    if not axes:
        return tokens
    if mask is None:
        return ops.mean(tokens, axis=axes)
    weights = ops.expand_dims(ops.cast(mask, "float32"), axis=-1)
    number = ops.maximum(ops.sum(weights, axis=axes), 1.0)
    return ops.sum(tokens * weights, axis=axes) / number


# What blocks call `(batch, length)`, zero where there is no token.
PADDING_MASKS = ("padding_mask", "decoder_padding_mask", "mask")
ATTENTION_MASK = "attention_mask"


def find_shared_masks(named: dict[str, Any]) -> tuple[str, ...]:
    """Which arguments of a block are one mask for all examples.

    Args:
        named: of a dry run, whose number of examples no other axis has: in a
            pass a mask `(length, length)` may look like `(batch, length)`.
    """
    number = next(iter(named.values())).shape[0]
    found = {name: named.get(name) for name in (*PADDING_MASKS, ATTENTION_MASK)}
    return tuple(
        name
        for name, mask in found.items()
        if _rank(mask) == 2 and mask.shape[0] not in (None, number)
    )


def _token_mask(named: dict[str, Any]) -> Tensor | None:
    """Which tokens are none, `(batch, length)`, as a block is told."""
    tokens = next(iter(named.values()))
    if len(tokens.shape) != 3:
        return None
    masks = [named.get(name) for name in PADDING_MASKS]
    masks += [_attended(named.get(ATTENTION_MASK)), keras_mask(tokens)]
    return next((mask for mask in masks if _is_token_mask(mask, tokens)), None)


def _is_token_mask(mask: Tensor | None, tokens: Tensor) -> bool:
    """Whether a mask says of each token whether it is one."""
    if _rank(mask) != 2 or _is_additive(mask):
        return False
    # One mask for all examples says nothing of each.
    is_of_examples = mask.shape[0] in (None, tokens.shape[0])
    lengths = {mask.shape[1], tokens.shape[1]} - {None}
    return is_of_examples and len(lengths) < 2


def _rank(mask: Any) -> int:
    """The number of axes; of what is no tensor, none."""
    return len(getattr(mask, "shape", ()))


def _is_additive(mask: Tensor) -> bool:
    """Whether a mask may be added to scores, with 0 for what is seen."""
    return "float" in keras.backend.standardize_dtype(mask.dtype)


def _attended(mask: Tensor | None) -> Tensor | None:
    """Of `(batch, ..., queries, keys)`: what nothing attends to is padding."""
    if _rank(mask) < 2 or _is_additive(mask):
        return None
    if _rank(mask) == 2:  # (batch, keys)
        return mask
    return ops.any(
        ops.cast(mask, "bool"), axis=tuple(range(1, len(mask.shape) - 1))
    )
