"""The einsum equations of a low-rank update for each member."""

import string

from keras_plex.ops.einsum_spec import EinsumSpec


def low_rank_equations(spec: EinsumSpec) -> tuple[str, str]:
    """The einsum equations of `x A` and of `(x A) B` for all members.

    `"abc,cde->abde"` becomes `"fabc,fcg->fabg"` and `"fabg,fgde->fabde"`.
    """
    member, rank = unused_letters(spec.inputs + spec.kernel + spec.outputs, 2)
    summed, kept, outputs = kernel_labels(spec)
    hidden = "".join(c for c in spec.inputs if c in spec.outputs)
    hidden = f"{member}{hidden}{rank}"
    a, b = f"{member}{summed}{kept}{rank}", f"{member}{rank}{outputs}"
    down = f"{member}{spec.inputs},{a}->{hidden}"
    return down, f"{hidden},{b}->{member}{spec.outputs}"


def kernel_labels(spec: EinsumSpec) -> tuple[str, str, str]:
    """Labels of the kernel: summed over, kept from inputs, in the outputs."""
    summed = "".join(c for c in spec.alpha_labels if c not in spec.outputs)
    kept = "".join(c for c in spec.alpha_labels if c in spec.outputs)
    outputs = "".join(c for c in spec.outputs if c in spec.kernel)
    return summed, kept, outputs


def unused_letters(used: str, count: int) -> str:
    """The first letters that an equation leaves free."""
    return "".join(c for c in string.ascii_letters if c not in used)[:count]
