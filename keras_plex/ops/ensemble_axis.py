"""Where the members live: the only file that knows.

Inside a model `row = member * batch + example`; outside, the batch is first.
"""

from collections.abc import Sequence

from keras import ops

from keras_plex.types import Tensor


def check_ensemble_size(ensemble_size: int) -> int:
    """Returns `ensemble_size`, or raises if it is not a positive integer."""
    is_integer = isinstance(ensemble_size, int) and not isinstance(
        ensemble_size, bool
    )
    if not is_integer or ensemble_size < 1:
        raise ValueError(
            "`ensemble_size` must be a positive integer. "
            f"Received: ensemble_size={ensemble_size!r}"
        )
    return ensemble_size


def tile_members(x: Tensor, ensemble_size: int) -> Tensor:
    """A copy for each member: `(batch, ...)` to `(ensemble * batch, ...)`."""
    x = ops.convert_to_tensor(x)
    return ops.tile(x, (ensemble_size,) + (1,) * (len(x.shape) - 1))


def split_members(x: Tensor, ensemble_size: int) -> Tensor:
    """`(ensemble * batch, ...)` to `(ensemble, batch, ...)`."""
    rows, *rest = ops.shape(x)
    # -1 would hide from TensorFlow how many rows there are.
    is_known = isinstance(rows, int)
    batch = rows_per_member(rows, ensemble_size) if is_known else -1
    return ops.reshape(x, (ensemble_size, batch, *rest))


def check_rows(rows: int, ensemble_size: int) -> None:
    """Raises unless the rows are those of `ensemble_size` members."""
    if rows % ensemble_size:
        raise ValueError(
            "The number of rows must be a multiple of `ensemble_size`: the "
            "members are folded into the batch axis (see `TileMembers`). "
            f"Received: rows={rows}, ensemble_size={ensemble_size}"
        )


def merge_members(x: Tensor) -> Tensor:
    """`(ensemble, batch, ...)` to `(ensemble * batch, ...)`."""
    members, batch, *rest = ops.shape(x)
    is_known = isinstance(members, int) and isinstance(batch, int)
    return ops.reshape(x, (members * batch if is_known else -1, *rest))


def join_members(members: Sequence[Tensor]) -> Tensor:
    """One `(batch, ...)` for each member to `(ensemble * batch, ...)`."""
    return ops.concatenate(list(members), axis=0)


def members_after_batch(x: Tensor, ensemble_size: int) -> Tensor:
    """From inside, `(ensemble * batch, ...)`, to `(batch, ensemble, ...)`."""
    return ops.swapaxes(split_members(x, ensemble_size), 0, 1)


def members_before_batch(x: Tensor) -> Tensor:
    """From outside, `(batch, ensemble, ...)`, to `(ensemble * batch, ...)`."""
    return merge_members(ops.swapaxes(x, 0, 1))


def rows_per_member(rows: int | None, ensemble_size: int) -> int | None:
    """The batch size of as many folded rows; `None` where it is unknown."""
    if rows is None:
        return None
    check_rows(rows, ensemble_size)
    return rows // ensemble_size


def per_member(weight: Tensor, axes: tuple[int, ...], rank: int) -> Tensor:
    """Shapes a member weight to broadcast over `(ensemble, batch, ...)`.

    Args:
        weight: `(ensemble, dims...)`.
        axes: where `dims` lie in the unfolded tensor, in order.
        rank: the number of axes of the unfolded tensor.
    """
    shape = [weight.shape[0]] + [1] * (rank - 1)
    for axis, size in zip(axes, weight.shape[1:], strict=True):
        shape[axis] = size
    return ops.reshape(weight, shape)
