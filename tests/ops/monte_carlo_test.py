"""The streamed average is the plain one, in any chunks, forth and back."""

import functools

import keras
import numpy as np
import pytest
from keras import ops

from keras_plex.ops import monte_carlo
from keras_plex.ops.links import LINKS
from keras_plex.ops.monte_carlo import gaussian_mixture_logits
from keras_plex.ops.monte_carlo import monte_carlo_logits
from keras_plex.ops.noise import FactorNoise
from keras_plex.ops.noise import IndependentNoise
from keras_plex.ops.noise import ScaledFactorNoise
from keras_plex.ops.normal_draws import draw_key
from keras_plex.ops.normal_draws import normal_draws

BACKEND = keras.config.backend()
BATCH, CLASSES, FACTORS, SAMPLES = 3, 4, 2, 24
SHAPES = {
    "mean": (BATCH, CLASSES),
    "stddev": (BATCH, CLASSES),
    "factors": (BATCH, FACTORS, CLASSES),
    "scale": (BATCH, CLASSES),
    "loadings": (FACTORS, CLASSES),
}


def normal(shape, seed=0):
    x = np.random.default_rng(seed).normal(size=shape)
    return x.astype("float32")


def to_numpy(x):
    return ops.convert_to_numpy(x)


def all_tensors():
    return [normal(shape, seed) for seed, shape in enumerate(SHAPES.values())]


def with_all_noise(*tensors, link="softmax", samples=SAMPLES, seed=3):
    mean, stddev, factors, scale, loadings = tensors
    noises = [
        (IndependentNoise(CLASSES), (stddev,)),
        (FactorNoise(FACTORS), (factors,)),
        (ScaledFactorNoise(FACTORS), (scale, loadings)),
    ]
    return monte_carlo_logits(mean, noises, samples, link, seed)


@functools.cache
def draws(seed=3, samples=SAMPLES, width=CLASSES + 2 * FACTORS):
    numbers = normal_draws(draw_key(seed), np.arange(samples), width)
    return np.float64(to_numpy(numbers))


def softmax(u):
    e = np.exp(u - u.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def sigmoid(u):
    return 1 / (1 + np.exp(-u))


def logit(p):
    return np.log(p) - np.log(1 - p)


def average(utilities, link):
    """The forecast of utilities (batch, samples, classes), in float64."""
    if link == "softmax":
        return np.log(softmax(utilities).mean(1))
    if link == "sigmoid":
        return logit(sigmoid(utilities).mean(1))
    return np.log(np.exp(utilities).mean(1))


def reference(mean, stddev, factors, scale, loadings, link="softmax"):
    own, low_rank, shared = np.split(
        draws(), [CLASSES, CLASSES + FACTORS], axis=1
    )
    utilities = (
        mean[:, None]
        + stddev[:, None] * own
        + low_rank @ factors
        + scale[:, None] * (shared @ loadings)
    )
    return average(utilities, link)


def gradients(function, arrays, upstream, **how):
    """Of sum(function * upstream), by the backend's own differentiation."""
    if BACKEND == "jax":
        import jax

        def loss(*arrays):
            return ops.sum(function(*arrays) * upstream)

        compile_ = jax.jit if how.get("jit_compile") else lambda f: f
        places = tuple(range(len(arrays)))
        return [*map(to_numpy, compile_(jax.grad(loss, places))(*arrays))]
    tensors = [ops.convert_to_tensor(array) for array in arrays]
    if BACKEND == "torch":
        for tensor in tensors:
            tensor.requires_grad_()
        ops.sum(function(*tensors) * ops.convert_to_tensor(upstream)).backward()
        return [to_numpy(tensor.grad) for tensor in tensors]
    import tensorflow as tf

    @tf.function(jit_compile=how.get("jit_compile", False))
    def differentiate(*tensors):
        with tf.GradientTape() as tape:
            tape.watch(tensors)
            total = tf.reduce_sum(function(*tensors) * upstream)
        return tape.gradient(total, tensors)

    return [*map(to_numpy, differentiate(*tensors))]


@pytest.fixture(params=[2**14, 4 * CLASSES, 1], ids=["one", "few", "many"])
def chunks(request, monkeypatch):
    """One chunk, six chunks of four samples, and one for each sample."""
    monkeypatch.setattr(monte_carlo, "CHUNK_ELEMENTS", request.param)


@pytest.mark.parametrize("link", LINKS)
def test_it_is_the_plain_average_with_the_same_draws(link, chunks):
    tensors = all_tensors()
    expected = reference(*map(np.float64, tensors), link=link)
    found = to_numpy(with_all_noise(*tensors, link=link))
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("jit_compile", [False, True])
@pytest.mark.parametrize("link", LINKS)
def test_its_gradients_are_finite_differences(link, jit_compile, chunks):
    tensors, upstream = all_tensors(), normal((BATCH, CLASSES), seed=9)
    function = functools.partial(with_all_noise, link=link)
    found = gradients(function, tensors, upstream, jit_compile=jit_compile)
    values, step = [*map(np.float64, tensors)], 1e-6
    for position, value in enumerate(values):
        for index in np.ndindex(value.shape):
            sides = []
            for sign in (1, -1):
                moved = [v.copy() for v in values]
                moved[position][index] += sign * step
                sides.append((reference(*moved, link=link) * upstream).sum())
            slope = (sides[0] - sides[1]) / (2 * step)
            np.testing.assert_allclose(
                found[position][index], slope, rtol=2e-5, atol=2e-5
            )


def test_many_samples_agree_with_an_independent_simulation():
    mean, stddev = normal((5, 4), 0), np.abs(normal((5, 4), 1))
    factors = normal((5, 2, 4), 2)
    noises = [
        (IndependentNoise(4), (stddev,)),
        (FactorNoise(2), (factors,)),
    ]
    found = np.exp(
        to_numpy(monte_carlo_logits(mean, noises, 4096, "softmax", 0))
    )
    generator = np.random.default_rng(0)
    utilities = mean[:, None] + stddev[:, None] * generator.normal(
        size=(5, 50_000, 4)
    )
    utilities = utilities + generator.normal(size=(5, 50_000, 2)) @ factors
    # The standard error of 4096 draws is below 0.5 / 64.
    np.testing.assert_allclose(found, softmax(utilities).mean(1), atol=0.015)


def quadrature(function, mean, stddev):
    """The mean of a function of a Gaussian, by Gauss and Hermite."""
    points, weights = np.polynomial.hermite_e.hermegauss(80)
    return (function(mean + stddev * points) * weights).sum() / weights.sum()


def test_two_classes_are_the_sigmoid_of_their_difference():
    mean = np.array([[1.0, -0.5]], "float32")
    stddev = np.array([[0.7, 1.1]], "float32")
    found = to_numpy(gaussian_mixture_logits(mean, stddev, 8192, "softmax", 0))
    expected = quadrature(sigmoid, 1.5, np.hypot(0.7, 1.1))
    np.testing.assert_allclose(np.exp(found[0, 0]), expected, atol=3e-3)
    single = to_numpy(
        gaussian_mixture_logits(
            np.array([[1.5]], "float32"),
            np.array([[np.hypot(0.7, 1.1)]], "float32"),
            8192,
            "sigmoid",
            0,
        )
    )
    np.testing.assert_allclose(single[0, 0], logit(expected), atol=0.02)


def test_the_mean_rate_is_that_of_a_log_normal():
    # E exp(u) = exp(mean + stddev^2 / 2)
    mean = np.array([[0.3], [-2.0]], "float32")
    found = to_numpy(gaussian_mixture_logits(mean, 0.5, 8192, "exp", 0))
    np.testing.assert_allclose(found, mean + 0.125, atol=5e-3)


@pytest.mark.parametrize("link", LINKS)
def test_without_noise_the_logits_stay(link):
    mean = normal((5, 4))
    found = to_numpy(gaussian_mixture_logits(mean, 0.0, 10, link, 0))
    expected = np.log(softmax(mean)) if link == "softmax" else mean
    np.testing.assert_allclose(found, expected, atol=2e-6)


def test_what_is_odd_averages_out():
    # The mean sigmoid of symmetric noise around 0 is one half, not nearly so.
    found = gaussian_mixture_logits(
        np.zeros((3, 1), "float32"), 5.0, 2, "sigmoid", 0
    )
    np.testing.assert_allclose(to_numpy(found), 0.0, atol=1e-6)


def test_an_example_does_not_depend_on_its_batch():
    mean, stddev = normal((6, 2, 4)), np.abs(normal((6, 2, 1), 1))
    whole = to_numpy(gaussian_mixture_logits(mean, stddev, 50, "softmax", 0))
    assert whole.shape == (6, 2, 4)
    for i in (0, 3, 5):
        alone = gaussian_mixture_logits(
            mean[i : i + 1], stddev[i : i + 1], 50, "softmax", 0
        )
        np.testing.assert_allclose(to_numpy(alone)[0], whole[i], atol=1e-6)


def test_a_stddev_that_broadcasts_gets_the_sum_of_its_gradients():
    mean, upstream = normal((3, 4)), normal((3, 4), 1)
    one = np.abs(normal((3, 1), 2))

    def forecast(stddev):
        return gaussian_mixture_logits(
            ops.convert_to_tensor(mean), stddev, 20, "softmax", 0
        )

    (narrow,) = gradients(forecast, [one], upstream)
    wide = np.broadcast_to(one, (3, 4)).copy()
    (whole,) = gradients(forecast, [wide], upstream)
    np.testing.assert_allclose(narrow[:, 0], whole.sum(1), rtol=1e-5, atol=1e-6)


def test_tiny_probabilities_stay_finite_and_right():
    # exp(-500) is 0 in float32: the mean of probabilities would be, too.
    mean = np.array([[0.0, -500.0, 500.0]], "float32")
    stddev = np.array([[0.0, 0.0, 0.0]], "float32")
    softmaxed = gaussian_mixture_logits(mean, stddev, 8, "softmax", 0)
    np.testing.assert_allclose(to_numpy(softmaxed), mean - 500.0, rtol=1e-6)
    found = gaussian_mixture_logits(mean, stddev, 8, "sigmoid", 0)
    np.testing.assert_allclose(to_numpy(found), mean, rtol=1e-6)
    for link in ("softmax", "sigmoid"):
        (gradient,) = gradients(
            lambda m, link=link: gaussian_mixture_logits(
                m, ops.ones_like(m), 8, link, 0
            ),
            [mean],
            np.ones_like(mean),
        )
        assert np.isfinite(gradient).all()


def test_a_seed_generator_gives_new_noise_at_each_call():
    generator, mean = keras.random.SeedGenerator(0), normal((2, 4))
    one, two = (
        to_numpy(gaussian_mixture_logits(mean, 1.0, 8, "softmax", generator))
        for _ in range(2)
    )
    assert np.abs(one - two).max() > 1e-3
    first, other = (
        to_numpy(gaussian_mixture_logits(mean, 1.0, 8, "softmax", seed))
        for seed in (0, 1)
    )
    np.testing.assert_array_equal(one, first)
    assert np.abs(first - other).max() > 1e-3


def test_the_maths_is_float32_or_wider():
    if BACKEND == "jax":
        pytest.skip("JAX has no float64 by default.")
    for dtype, expected in (("bfloat16", "float32"), ("float64", "float64")):
        mean = ops.cast(normal((2, 4)), dtype)
        found = gaussian_mixture_logits(
            mean, ops.cast(1.0, dtype), 8, "softmax", 0
        )
        assert keras.backend.standardize_dtype(found.dtype) == expected


# Memory: 1000 samples of 4 examples of 500 classes are two million numbers.


def largest_of_jaxpr(jaxpr):
    sizes = [0]
    for equation in jaxpr.eqns:
        sizes += [variable.aval.size for variable in equation.outvars]
        for parameter in equation.params.values():
            for inner in (
                parameter if isinstance(parameter, tuple) else [parameter]
            ):
                inner = getattr(inner, "jaxpr", inner)
                if hasattr(inner, "eqns"):
                    sizes.append(largest_of_jaxpr(inner))
    return max(sizes)


def largest_of_graph(graph):
    definition = graph.as_graph_def(add_shapes=True)
    functions = [f.node_def for f in definition.library.function]
    sizes = [0]
    for nodes in (definition.node, *functions):
        for node in nodes:
            for shape in node.attr["_output_shapes"].list.shape:
                assert not shape.unknown_rank or node.op in VARIANTS, node
                sizes.append(np.prod([d.size for d in shape.dim], initial=1))
    return max(sizes)


VARIANTS = ("TensorListPopBack", "TensorListPushBack", "EmptyTensorList")


def largest_tensor(function, *shapes):
    """The size of the largest tensor in a forward and a backward pass."""
    arrays = [normal(shape) for shape in shapes]
    if BACKEND == "jax":
        import jax

        def loss(*arrays):
            return ops.sum(function(*arrays))

        places = tuple(range(len(arrays)))
        jaxpr = jax.make_jaxpr(jax.value_and_grad(loss, places))(*arrays)
        return largest_of_jaxpr(jaxpr.jaxpr)
    if BACKEND == "tensorflow":
        import tensorflow as tf

        @tf.function
        def differentiate(*tensors):
            with tf.GradientTape() as tape:
                tape.watch(tensors)
                total = tf.reduce_sum(function(*tensors))
            return tape.gradient(total, tensors)

        tensors = [tf.constant(array) for array in arrays]
        concrete = differentiate.get_concrete_function(*tensors)
        return largest_of_graph(concrete.graph)
    from torch.utils import _python_dispatch

    sizes = []

    class Watch(_python_dispatch.TorchDispatchMode):
        def __torch_dispatch__(self, function, types, args=(), kwargs=None):
            result = function(*args, **(kwargs or {}))
            sizes.extend(
                t.numel()
                for t in keras.tree.flatten(result)
                if ops.is_tensor(t)
            )
            return result

    with Watch():
        gradients(function, arrays, np.ones(shapes[0], "float32"))
    return max(sizes)


def test_no_pass_holds_all_samples():
    batch, classes, factors, samples = 4, 500, 3, 1000

    def streamed(mean, stddev, own_factors):
        noises = [
            (IndependentNoise(classes), (stddev,)),
            (FactorNoise(factors), (own_factors,)),
        ]
        return monte_carlo_logits(mean, noises, samples, "softmax", 0)

    largest = largest_tensor(
        streamed, (batch, classes), (batch, classes), (batch, factors, classes)
    )
    assert largest <= batch * monte_carlo.CHUNK_ELEMENTS

    def plain(mean, stddev):
        noise = normal((samples, classes))
        utilities = mean[:, None] + stddev[:, None] * ops.convert_to_tensor(
            noise
        )
        return ops.log(ops.mean(ops.softmax(utilities), axis=1))

    # The measure itself sees the samples where they are.
    largest = largest_tensor(plain, (batch, classes), (batch, classes))
    assert largest >= batch * samples * classes


@pytest.mark.parametrize("samples", [0, -1, 2.0, True])
def test_a_number_of_samples_that_is_not_positive_raises(samples):
    with pytest.raises(ValueError, match="`num_samples` must be a positive"):
        gaussian_mixture_logits(normal((2, 3)), 1.0, samples, "softmax", 0)


def test_an_unknown_link_lists_what_exists():
    with pytest.raises(ValueError, match="Unknown link: 'probit'. Available"):
        gaussian_mixture_logits(normal((2, 3)), 1.0, 8, "probit", 0)
