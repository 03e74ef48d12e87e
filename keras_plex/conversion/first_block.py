"""The first of a model's row of blocks, and how wide its tokens are."""

import itertools
from typing import NamedTuple

import keras
from keras import tree

from keras_plex.conversion.context import KERNEL_INPUTS_OPTION
from keras_plex.conversion.context import find_shared_masks
from keras_plex.conversion.context import split_kernel_inputs
from keras_plex.conversion.heads import Head
from keras_plex.conversion.sites import list_sites
from keras_plex.conversion.traced_heads import Call
from keras_plex.conversion.traced_heads import trace_outputs
from keras_plex.conversion.vocabulary_head import is_vocabulary_head
from keras_plex.types import Config

LAYERS_OF_BLOCKS = (keras.layers.Dense, keras.layers.EinsumDense)


class FirstBlock(NamedTuple):
    """The block that a pass reaches first.

    Args:
        layer: the block.
        dim: the last axis of what enters it.
        takes_tokens: whether that is a sequence or a map, and no vector.
        shared_masks: arguments that are one mask for all examples.
    """

    layer: keras.layers.Layer
    dim: int
    takes_tokens: bool
    shared_masks: tuple[str, ...]


def choose_first_block(
    model: keras.Model, head: Head, options: Config
) -> FirstBlock | None:
    """The block whose inputs a Gaussian process compares beside its own.

    Args:
        model: a stock model, left as it is.
        head: its output layer.
        options: of the head. Where they choose nothing, a residual to the
            stock output layer compares both if the model has such a block.

    Raises:
        ValueError: the options ask for what the model does not have.
    """
    joins, options = split_kernel_inputs(options)
    if not (_is_residual(options) if joins is None else joins):
        return None
    try:
        found = find_first_block(model, head)
    except ValueError:
        if joins:
            raise
        return None
    # Of vectors, the first block may be that of one input among many.
    return found if joins or found.takes_tokens else None


def _is_residual(options: Config) -> bool:
    """Whether random features of the input correct the stock output layer."""
    is_linear = options.get("kernel") == "linear"
    return not is_linear and options.get("mean_function") != "zero"


def find_first_block(model: keras.Model, head: Head) -> FirstBlock:
    """The block that a pass reaches first, before members are made.

    Args:
        model: a stock model, left as it is.
        head: its output layer, which must take one row for each example.

    Raises:
        ValueError: there is no row of blocks, the output layer takes tokens,
            or the block something else than the tokens of each example.
    """
    sites = list_sites(model, LAYERS_OF_BLOCKS)
    blocks = [site.block for site in sites if site.is_repeated]
    calls: list[Call] = []

    def is_followed(layer: keras.layers.Layer) -> bool:
        return layer is head.layer or any(layer is x for x in blocks)

    if blocks and not is_vocabulary_head(head):
        trace_outputs(model, is_followed, lambda _, seen: calls.extend(seen))
    # PyTorch runs dry twice, with two lengths: up to the output layer is one.
    first_run = list(
        itertools.takewhile(lambda call: call.layer is not head.layer, calls)
    )
    if len(first_run) in (0, len(calls)):
        raise _cannot_join(f"{model.name!r} has no row of equal blocks")
    layer, tokens = first_run[0].layer, first_run[0].inputs
    features = calls[len(first_run)].inputs
    if len(features.shape) != 2:
        raise _cannot_join(
            f"the output layer of {model.name!r} takes more than one row of "
            f"an example, {('batch', *features.shape[1:])}"
        )
    shape = () if tree.is_nested(tokens) else getattr(tokens, "shape", ())
    if len(shape) < 2 or not isinstance(shape[-1], int):
        raise _cannot_join(f"the block {layer.path!r} takes no tensor of them")
    of_layer = [call for call in first_run if call.layer is layer]
    begins = [call for call in of_layer if _begins(call, first_run)]
    if len(begins) > 1 or shape[0] != features.shape[0]:
        raise _cannot_join(
            f"the block {layer.path!r} takes an example in several parts"
        )
    shared_masks = find_shared_masks(first_run[0].arguments)
    return FirstBlock(layer, shape[-1], len(shape) > 2, shared_masks)


def _begins(call: Call, calls: list[Call]) -> bool:
    """Whether a call does not go on from another: layers may share weights."""
    return not any(call.inputs is before.outputs for before in calls)


def _cannot_join(why: str) -> ValueError:
    return ValueError(
        f'`head_options={{"{KERNEL_INPUTS_OPTION}": "first_and_last"}}` adds '
        "the mean of what enters the first block to the features of the output "
        f"layer, but {why}. Leave the option out, or build the model with "
        "`RandomFeatureGP(..., context_dim=...)` on a `Concatenate` of both."
    )
