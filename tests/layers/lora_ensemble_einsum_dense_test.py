"""Every equation of Keras's attention layers, against a member loop."""

import dataclasses

import keras
import numpy as np
import pytest
from keras import ops

from keras_plex.layers import LoRAEnsembleEinsumDense


@dataclasses.dataclass(frozen=True)
class Case:
    """An equation, and the einsum of its `A` and `B` to an update."""

    equation: str
    input_shape: tuple
    output_shape: int | tuple
    update: str
    bias_axes: str | None = None

    @property
    def id(self):
        return self.equation


# Two members, three examples a member.
ATTENTION = [
    # keras.layers.MultiHeadAttention: 2 heads of 3, width 4.
    Case("abc,cde->abde", (6, 5, 4), (None, 2, 3), "cr,rde->cde", "de"),
    Case("abcd,cde->abe", (6, 5, 2, 3), (None, 4), "cdr,re->cde", "e"),
    # The same with attention over two axes.
    Case(
        "abcd,def->abcef", (6, 5, 7, 4), (None, None, 2, 3), "dr,ref->def", "ef"
    ),
    Case(
        "abcde,def->abcf", (6, 5, 7, 2, 3), (None, None, 4), "der,rf->def", "f"
    ),
    # keras.layers.GroupQueryAttention.
    Case("bqm,muh->bquh", (6, 5, 4), (None, 2, 3), "mr,ruh->muh", "uh"),
    Case("bkm,mvh->bkvh", (6, 5, 4), (None, 2, 3), "mr,rvh->mvh", "vh"),
    Case("bquh,uhm->bqm", (6, 5, 2, 3), (None, 4), "uhr,rm->uhm", "m"),
]

OTHERS = [
    Case("ab,bc->ac", (6, 4), 3, "br,rc->bc", "c"),
    Case("ab,bc->ac", (6, 4), 3, "br,rc->bc", None),
    # The kernel's labels in another order than those of inputs and outputs.
    Case("abc,edc->abde", (6, 5, 4), (None, 2, 3), "cr,rde->edc", "de"),
    Case("abcd,dec->aeb", (6, 5, 2, 3), (4, None), "cdr,re->dec", "e"),
    # The axes of the outputs in another order.
    Case("abc,cd->adb", (6, 5, 4), (3, None), "cr,rd->cd", "d"),
    # A label that inputs, kernel and outputs share: an update per head.
    Case("bhd,hde->bhe", (6, 5, 4), (5, 3), "dhr,rhe->hde", "he"),
    Case("bdh,hed->beh", (6, 4, 5), (3, 5), "dhr,reh->hed", "eh"),
    # An ellipsis on the left, over two axes and over one, and on the right.
    Case("...b,bc->...c", (6, 5, 4), 3, "br,rc->bc", "c"),
    Case("...b,bc->...c", (6, 4), 3, "br,rc->bc", "c"),
    Case("...bc,bcd->...d", (6, 5, 2, 3), 4, "bcr,rd->bcd", "d"),
    Case("ab...,bc->ac...", (6, 4, 5), 3, "br,rc->bc", "c"),
]
CASES = ATTENTION + OTHERS

each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)


def np64(x):
    return ops.convert_to_numpy(x).astype("float64")


def normal(shape, seed=1):
    return np.random.default_rng(seed).normal(size=shape)


def make(case, **arguments):
    return LoRAEnsembleEinsumDense(
        case.equation,
        case.output_shape,
        ensemble_size=2,
        bias_axes=case.bias_axes,
        **arguments,
    )


def random_layer(case, **arguments):
    layer = make(case, dtype="float64", **arguments)
    layer.build(case.input_shape)
    for seed, weight in enumerate(layer.weights):
        weight.assign(normal(weight.shape, seed))
    return layer


def member_loop(case, layer, x, scale=1.0):
    """Each member by itself: an einsum with its own kernel."""
    outputs = []
    for k, rows in enumerate(np.split(x, 2)):
        update = np.einsum(
            case.update, np64(layer.lora_a)[k], np64(layer.lora_b)[k]
        )
        kernel = np64(layer.kernel) + scale * update
        y = np.einsum(case.equation, rows, kernel)
        outputs.append(y if layer.bias is None else y + np64(layer.bias))
    return np.concatenate(outputs)


@each_case
def test_it_equals_a_loop_over_members_with_kernels_of_their_own(case):
    layer = random_layer(case, rank=2, alpha=3)
    x = normal(case.input_shape)
    np.testing.assert_allclose(
        np64(layer(x)), member_loop(case, layer, x, 1.5), atol=1e-11
    )


@each_case
def test_members_start_exactly_as_the_stock_layer(case):
    stock = keras.layers.EinsumDense(
        case.equation, case.output_shape, bias_axes=case.bias_axes, name="q"
    )
    x = normal(case.input_shape).astype("float32")
    expected = np64(stock(x))
    layer = LoRAEnsembleEinsumDense.from_layer(stock, ensemble_size=2)
    np.testing.assert_array_equal(np64(layer(x)), expected)


@each_case
def test_it_adds_k_times_rank_times_inputs_plus_outputs_weights(case):
    layer = make(case, rank=3)
    layer.build(case.input_shape)
    inputs, outputs = (
        np.prod(sizes) for sizes in sizes_of_kernel(case, layer.kernel.shape)
    )
    added = np.prod(layer.lora_a.shape) + np.prod(layer.lora_b.shape)
    assert added == 2 * 3 * (inputs + outputs)


def sizes_of_kernel(case, kernel_shape):
    """The sizes of the kernel's axes in the inputs, and in the outputs."""
    inputs, rest = case.equation.split(",")
    kernel, outputs = rest.split("->")
    size = dict(zip(kernel, kernel_shape, strict=True))
    for labels in (inputs, outputs):
        yield [size[label] for label in labels if label in size]


def test_the_activation_comes_last():
    case = ATTENTION[0]
    layer = random_layer(case, activation="tanh")
    x = normal(case.input_shape)
    expected = np.tanh(member_loop(case, layer, x))
    np.testing.assert_allclose(np64(layer(x)), expected, rtol=1e-11)


def einsum_layers(layer):
    return [
        found
        for found in layer._flatten_layers()
        if isinstance(found, keras.layers.EinsumDense)
    ]


def test_the_cases_hold_every_equation_of_the_attention_layers():
    one_axis = keras.layers.MultiHeadAttention(2, 3)
    one_axis.build((2, 5, 4), (2, 5, 4))
    two_axes = keras.layers.MultiHeadAttention(2, 3, attention_axes=(1, 2))
    two_axes.build((2, 5, 7, 4), (2, 5, 7, 4))
    groups = keras.layers.GroupQueryAttention(3, 4, 2)
    groups.build((2, 5, 4), (2, 5, 4))
    used = {
        layer.equation
        for attention in (one_axis, two_axes, groups)
        for layer in einsum_layers(attention)
    }
    assert used == {case.equation for case in ATTENTION}


def test_a_and_b_have_the_shapes_of_the_docstring():
    layer = make(ATTENTION[0], rank=4)
    layer.build((6, 5, 4))
    assert tuple(layer.lora_a.shape) == (2, 4, 4)
    assert tuple(layer.lora_b.shape) == (2, 4, 2, 3)


def test_an_equation_whose_kernel_uses_the_batch_raises():
    layer = LoRAEnsembleEinsumDense("ab,ac->abc", (4, 3))
    with pytest.raises(ValueError, match="The first axis of the inputs"):
        layer.build((6, 4))
