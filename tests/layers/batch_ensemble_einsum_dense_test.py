"""Every equation of Keras's attention layers, against a member loop."""

import dataclasses
import re

import keras
import numpy as np
import pytest
from keras import ops

from keras_plex.layers import BatchEnsembleEinsumDense


@dataclasses.dataclass(frozen=True)
class Case:
    """An equation, and which of its labels alpha and gamma scale."""

    equation: str
    input_shape: tuple
    output_shape: int | tuple
    alpha: str
    gamma: str
    bias_axes: str | None = None
    one_member: str | None = None  # the equation with letters for the "..."

    @property
    def id(self):
        return f"{self.equation} bias {self.bias_axes}"


# Two members, three examples a member.
ATTENTION = [
    # keras.layers.MultiHeadAttention: 2 heads of 3, width 4.
    Case("abc,cde->abde", (6, 5, 4), (None, 2, 3), "c", "de", "de"),
    Case("abcd,cde->abe", (6, 5, 2, 3), (None, 4), "cd", "e", "e"),
    # The same with attention over two axes.
    Case("abcd,def->abcef", (6, 5, 7, 4), (None, None, 2, 3), "d", "ef", "ef"),
    Case("abcde,def->abcf", (6, 5, 7, 2, 3), (None, None, 4), "de", "f", "f"),
    # keras.layers.GroupQueryAttention.
    Case("bqm,muh->bquh", (6, 5, 4), (None, 2, 3), "m", "uh", "uh"),
    Case("bkm,mvh->bkvh", (6, 5, 4), (None, 2, 3), "m", "vh", "vh"),
    Case("bquh,uhm->bqm", (6, 5, 2, 3), (None, 4), "uh", "m", "m"),
]

OTHERS = [
    Case("ab,bc->ac", (6, 4), 3, "b", "c", "c"),
    Case("ab,bc->ac", (6, 4), 3, "b", "c", None),
    # Each subset of the bias axes, also one in the middle.
    Case("abc,cde->abde", (6, 5, 4), (None, 2, 3), "c", "de", None),
    Case("abc,cde->abde", (6, 5, 4), (None, 2, 3), "c", "de", "d"),
    Case("abc,cde->abde", (6, 5, 4), (None, 2, 3), "c", "de", "e"),
    Case("abc,cde->abde", (6, 5, 4), (5, 2, 3), "c", "de", "bde"),
    Case("abc,cde->abde", (6, 5, 4), (5, 2, 3), "c", "de", "be"),
    # The kernel's labels in another order than those of inputs and outputs.
    Case("abc,edc->abde", (6, 5, 4), (None, 2, 3), "c", "de", "de"),
    Case("abcd,edc->abe", (6, 5, 2, 3), (None, 4), "cd", "e", "e"),
    Case("abcd,dec->aeb", (6, 5, 2, 3), (4, None), "cd", "e", "e"),
    # The axes of the outputs in another order.
    Case("abc,cd->adb", (6, 5, 4), (3, None), "c", "d", "d"),
    # A label that inputs, kernel and outputs share: a kernel per head.
    Case("abc,bcd->abd", (6, 5, 4), (5, 3), "bc", "d", "bd"),
    # An ellipsis on the left, over two axes and over one, and on the right.
    Case("...b,bc->...c", (6, 5, 4), 3, "b", "c", "c", "xyb,bc->xyc"),
    Case("...b,bc->...c", (6, 4), 3, "b", "c", "c", "xb,bc->xc"),
    Case(
        "...bc,bcd->...d", (6, 5, 2, 3), 4, "bc", "d", "d",
        "xybc,bcd->xyd",
    ),
    Case("ab...,bc->ac...", (6, 4, 5), 3, "b", "c", "c", "abx,bc->acx"),
]  # fmt: skip
CASES = ATTENTION + OTHERS

each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)


def np64(x):
    return ops.convert_to_numpy(x).astype("float64")


def make(case, **arguments):
    return BatchEnsembleEinsumDense(
        case.equation,
        case.output_shape,
        ensemble_size=2,
        bias_axes=case.bias_axes,
        **arguments,
    )


def random_layer(case, **arguments):
    layer = make(case, dtype="float64", **arguments)
    layer.build(case.input_shape)
    randomize(layer)
    return layer


def randomize(layer):
    generator = np.random.default_rng(0)
    for weight in layer.weights:
        weight.assign(generator.normal(size=weight.shape))


def normal(shape):
    return np.random.default_rng(1).normal(size=shape)


def member_loop(case, layer, x):
    """Each member by itself: an einsum with its own, scaled kernel."""
    labels = case.equation.split(",")[1].split("->")[0]
    outputs = []
    for k, rows in enumerate(np.split(x, 2)):
        kernel = np.einsum(
            f"{labels},{case.alpha},{case.gamma}->{labels}",
            np64(layer.kernel),
            np64(layer.alpha)[k],
            np64(layer.gamma)[k],
        )
        y = np.einsum(case.one_member or case.equation, rows, kernel)
        if layer.bias is not None:
            y = y + np64(layer.bias) + np64(layer.member_bias)[k]
        outputs.append(y)
    return np.concatenate(outputs)


@each_case
def test_it_equals_a_loop_over_members_with_scaled_kernels(case):
    layer = random_layer(case)
    x = normal(case.input_shape)
    np.testing.assert_allclose(
        np64(layer(x)), member_loop(case, layer, x), rtol=1e-12, atol=1e-12
    )


@each_case
def test_members_that_start_at_ones_equal_the_stock_layer(case):
    stock = keras.layers.EinsumDense(
        case.equation, case.output_shape, bias_axes=case.bias_axes, name="q"
    )
    x = normal(case.input_shape).astype("float32")
    expected = np64(stock(x))
    layer = BatchEnsembleEinsumDense.from_layer(stock, ensemble_size=2)
    np.testing.assert_allclose(np64(layer(x)), expected, rtol=1e-5, atol=1e-6)
    assert layer.name == "q"


def test_the_activation_comes_last():
    case = ATTENTION[0]
    layer = random_layer(case, activation="relu")
    x = normal(case.input_shape)
    expected = np.maximum(member_loop(case, layer, x), 0)
    np.testing.assert_allclose(np64(layer(x)), expected, rtol=1e-12)


def attention_layers():
    """Keras's attention, on inputs of several ranks, with every option."""
    Heads = keras.layers.MultiHeadAttention
    Groups = keras.layers.GroupQueryAttention
    x = (6, 5, 4)
    images = (6, 5, 7, 4)
    videos = (6, 3, 5, 2, 4)
    return {
        "heads": (Heads(2, 3), x),
        "heads, no bias": (Heads(2, 3, use_bias=False), x),
        "heads, values of another width": (Heads(2, 3, value_dim=5), x),
        "heads, another output": (Heads(2, 3, output_shape=7), x),
        "heads, two output axes": (Heads(2, 3, output_shape=(7, 2)), x),
        "heads over rows": (Heads(2, 3, attention_axes=1), images),
        "heads over columns": (Heads(2, 3, attention_axes=2), images),
        "heads over images": (Heads(2, 3, attention_axes=(1, 2)), images),
        "heads over frames": (Heads(2, 3, attention_axes=(2, 3)), videos),
        "heads over all": (Heads(2, 3, attention_axes=(1, 2, 3)), videos),
        "groups": (Groups(3, 4, 2), x),
        "groups, no bias": (Groups(3, 4, 4, use_bias=False), x),
    }


def projections(attention, shape):
    attention.build(shape, shape)
    return [
        layer
        for layer in attention._flatten_layers()
        if isinstance(layer, keras.layers.EinsumDense)
    ]


@pytest.mark.parametrize("name", attention_layers())
def test_each_projection_of_keras_attention_equals_a_loop(name):
    attention, shape = attention_layers()[name]
    found = projections(attention, shape)
    assert len(found) == 4
    for stock in found:
        layer = BatchEnsembleEinsumDense.from_config(
            {**stock.get_config(), "dtype": "float64", "ensemble_size": 2}
        )
        layer.build_from_config(stock.get_build_config())
        randomize(layer)
        sizes = stock.get_build_config()["input_shape"]
        x = normal((6, *(n or 5 for n in sizes[1:])))
        inputs, kernel, outputs = re.split(",|->", stock.equation)
        added = set(kernel) - set(inputs)
        case = Case(
            stock.equation,
            x.shape,
            stock.partial_output_shape,
            alpha="".join(label for label in inputs if label in kernel),
            gamma="".join(label for label in outputs if label in added),
        )
        assert case.alpha and case.gamma
        np.testing.assert_allclose(
            np64(layer(x)),
            member_loop(case, layer, x),
            rtol=1e-10,
            atol=1e-12,
        )


@pytest.mark.parametrize("name", attention_layers())
def test_each_projection_of_keras_attention_can_be_taken_over(name):
    for stock in projections(*attention_layers()[name]):
        sizes = stock.get_build_config()["input_shape"]
        x = normal((6, *(n or 5 for n in sizes[1:]))).astype("float32")
        layer = BatchEnsembleEinsumDense.from_layer(stock, ensemble_size=2)
        np.testing.assert_allclose(
            np64(layer(x)), np64(stock(x)), rtol=1e-5, atol=1e-6
        )


def test_alpha_and_gamma_have_the_shapes_of_the_docstring():
    layer = random_layer(ATTENTION[0])
    assert tuple(layer.alpha.shape) == (2, 4)
    assert tuple(layer.gamma.shape) == (2, 2, 3)
    assert tuple(layer.member_bias.shape) == (2, 2, 3)


def test_the_store_of_a_stock_layer_loads():
    case = ATTENTION[0]
    stock = keras.layers.EinsumDense(
        case.equation, case.output_shape, bias_axes=case.bias_axes
    )
    x = normal(case.input_shape).astype("float32")
    expected = np64(stock(x))
    store = {}
    stock.save_own_variables(store)
    layer = make(case, fast_weight_initializer="ones")
    layer.build(case.input_shape)
    layer.load_own_variables(store)
    np.testing.assert_allclose(np64(layer(x)), expected, rtol=1e-5, atol=1e-6)


def test_alpha_and_gamma_are_different_draws():
    layer = BatchEnsembleEinsumDense(
        "ab,bc->ac",
        4,
        fast_weight_initializer=keras.initializers.RandomNormal(1, 0.5, seed=3),
    )
    layer.build((None, 4))
    assert np.abs(np64(layer.alpha) - np64(layer.gamma)).max() > 0.1


def test_members_differ_after_one_step():
    layer = make(ATTENTION[0])
    inputs = keras.Input((5, 4))
    model = keras.Model(inputs, layer(inputs))
    model.compile("sgd", "mse")
    x = np.tile(normal((3, 5, 4)), (2, 1, 1)).astype("float32")
    model.train_on_batch(x, np.ones((6, 5, 2, 3)))
    one, two = np.split(np64(model(x)), 2)
    assert np.abs(one - two).max() > 1e-2


def test_rows_that_are_no_multiple_raise():
    with pytest.raises(ValueError, match="rows=5, ensemble_size=2"):
        make(ATTENTION[0])(np.ones((5, 5, 4), "float32"))


def test_an_equation_whose_kernel_uses_the_batch_raises():
    layer = BatchEnsembleEinsumDense("ab,ac->abc", (4, 3))
    with pytest.raises(ValueError) as error:
        layer.build((6, 4))
    assert "The first axis of the inputs and of the outputs" in str(error.value)
    assert "equation='ab,ac->abc'" in str(error.value)


def test_an_equation_that_moves_the_batch_raises():
    # Members would be split off the axis that became the first one.
    layer = BatchEnsembleEinsumDense("abc,cd->bad", (None, 5))
    with pytest.raises(ValueError, match="batch"):
        layer.build((None, 3, 4))
