"""One pass of a model whose layers tile the rows that reach them."""

from collections.abc import Callable
from typing import Any

from keras_plex.conversion import forward_pass
from keras_plex.conversion.tiling import Layout
from keras_plex.conversion.tiling import map_tensors
from keras_plex.models.returns import RETURNS
from keras_plex.ops.masks import tile_with_mask

MemberOutputs = Any  # a file above this one


def tiled_pass(
    model: MemberOutputs,
    stock_call: Callable,
    args: tuple,
    kwargs: dict,
    *,
    layout: Layout,
    class_token_only: bool = False,
) -> Any:
    """What the pass's mode asks for; see `RETURNS`.

    Args:
        model: whose pass it is.
        stock_call: `call` of its stock class.
        args: of the call.
        kwargs: of the call.
        layout: where members are.
        class_token_only: whether the last block's class token is enough.
    """
    if layout.tiled_inputs:
        size = model.ensemble_size
        args, kwargs = map_tensors(
            model, args, kwargs, lambda name, x: tile_with_mask(x, size)
        )
    with forward_pass.model_pass(class_token_only) as current:
        outputs = stock_call(*args, **kwargs)
        head_inputs = current.head_inputs
    return RETURNS[forward_pass.mode()](model, outputs, head_inputs)
