"""The parts of an equation, and the axes of labels once members are split."""

import pytest

from keras_plex.ops.einsum_spec import EinsumSpec
from keras_plex.ops.einsum_spec import unfolded_axes


@pytest.mark.parametrize(
    "equation, alpha, gamma",
    [
        ("abc,cde->abde", "c", "de"),
        ("abcd,cde->abe", "cd", "e"),
        ("bqm,muh->bquh", "m", "uh"),
        ("bquh,uhm->bqm", "uh", "m"),
        ("...x,xy->...y", "x", "y"),
        ("bhd,hde->bhe", "hd", "e"),
    ],
)
def test_alpha_scales_shared_axes_and_gamma_added_ones(equation, alpha, gamma):
    spec = EinsumSpec.parse(equation)
    assert (spec.alpha_labels, spec.gamma_labels) == (alpha, gamma)


def test_sizes_come_from_the_kernel():
    spec = EinsumSpec.parse("abc,cde->abde")
    assert spec.kernel_sizes("de", (8, 2, 4)) == (2, 4)


def test_axes_move_by_one_when_members_are_split():
    # (ensemble, a, b, c): c lies on axis 3
    assert unfolded_axes("abc", "c", rank=4) == (3,)
    assert unfolded_axes("...xy", "x", rank=5) == (3,)


@pytest.mark.parametrize("equation", ["ab,ac->bc", "ab,bc->ca"])
def test_the_first_axis_must_be_the_batch(equation):
    with pytest.raises(ValueError, match="must be the batch"):
        EinsumSpec.parse(equation)
