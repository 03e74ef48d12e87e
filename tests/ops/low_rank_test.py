"""Down and up again is one low-rank kernel for each member."""

import numpy as np
import pytest

from keras_plex.ops.einsum_spec import EinsumSpec
from keras_plex.ops.low_rank import kernel_labels
from keras_plex.ops.low_rank import low_rank_equations
from keras_plex.ops.low_rank import unused_letters


@pytest.mark.parametrize(
    "equation, labels",
    [
        ("ab,bc->ac", ("b", "", "c")),
        ("abc,cde->abde", ("c", "", "de")),
        ("abcd,cde->abe", ("cd", "", "e")),
        ("bhd,hde->bhe", ("d", "h", "he")),
        ("bhd,hed->bhe", ("d", "h", "he")),
    ],
)
def test_the_labels_of_a_kernel_say_what_they_do(equation, labels):
    assert kernel_labels(EinsumSpec.parse(equation)) == labels


def test_the_equations_are_those_of_the_docstring():
    spec = EinsumSpec.parse("abc,cde->abde")
    down, up = low_rank_equations(spec)
    assert (down, up) == ("fabc,fcg->fabg", "fabg,fgde->fabde")


SIZES = dict(zip("abcdehk", (3, 5, 4, 2, 6, 7, 8), strict=True))


@pytest.mark.parametrize(
    "equation",
    [
        "ab,bc->ac",
        "abc,cde->abde",
        "abcd,cde->abe",
        "abcd,dec->aeb",
        "ahd,hde->ahe",
        "ahd,hed->aeh",
        # Summed over without the kernel.
        "abc,cd->ad",
    ],
)
def test_an_update_is_the_equation_with_a_low_rank_kernel(equation):
    spec = EinsumSpec.parse(equation)
    generator = np.random.default_rng(0)

    def draw(labels, first=(), last=()):
        sizes = [SIZES[label] for label in labels]
        return generator.normal(size=(*first, *sizes, *last))

    summed, kept, outputs = kernel_labels(spec)
    x = draw(spec.inputs, first=(2,))
    a = draw(summed + kept, first=(2,), last=(3,))
    b = draw(outputs, first=(2, 3))
    down, up = low_rank_equations(spec)
    update = np.einsum(up, np.einsum(down, x, a), b)
    for member in range(2):
        kernel = np.einsum(
            f"{summed}{kept}z,z{outputs}->{spec.kernel}", a[member], b[member]
        )
        expected = np.einsum(equation, x[member], kernel)
        np.testing.assert_allclose(update[member], expected, atol=1e-12)


def test_unused_letters_are_in_no_equation():
    assert unused_letters("abd", 3) == "cef"
    assert unused_letters("", 0) == ""
