"""A Keras loss, per member, then the mean."""

from collections.abc import Callable
from collections.abc import Sequence

from keras import tree

from keras_plex.ops.ensemble_axis import split_members
from keras_plex.ops.masks import with_mask_of_member
from keras_plex.types import Tensor


def mean_over_members(
    loss: Callable[[Tensor], Tensor],
    outputs: Tensor,
    member_outputs: Sequence[bool],
    ensemble_size: int,
) -> Tensor:
    """The mean of the members' losses: each member sees every example.

    It holds for any loss, also one that sums over the batch or compares its
    examples, because each member's rows meet the loss alone, with their mask.

    Args:
        loss: from one member's outputs to a scalar.
        outputs: `(ensemble * batch, ...)`, possibly nested.
        member_outputs: for each flat output whether its rows are members'.
        ensemble_size: positive int.
    """
    flat = [
        split_members(x, ensemble_size) if is_member else None
        for x, is_member in zip(
            tree.flatten(outputs), member_outputs, strict=True
        )
    ]
    total = 0.0
    for member in range(ensemble_size):
        own = [
            rows
            if split is None
            else with_mask_of_member(split[member], rows, ensemble_size, member)
            for split, rows in zip(flat, tree.flatten(outputs), strict=True)
        ]
        total = total + loss(tree.pack_sequence_as(outputs, own))
    return total / ensemble_size
