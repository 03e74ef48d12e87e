"""The norm of a normalized layer is the smaller of its own and the bound."""

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
from keras import ops

from keras_plex.layers import SpectralNormalization

layers = keras.layers
CHANNELS_FIRST = {"data_format": "channels_first"}

# Name -> a layer and the shape of one example.
KINDS = {
    "Dense": (lambda: layers.Dense(5), (7,)),
    "Dense, tall": (lambda: layers.Dense(2), (9,)),
    "EinsumDense, to heads": (
        lambda: layers.EinsumDense("abc,cde->abde", (None, 2, 3)),
        (2, 4),
    ),
    "EinsumDense, from heads": (
        lambda: layers.EinsumDense("abcd,cde->abe", (None, 3)),
        (2, 2, 4),
    ),
    "EinsumDense, a matrix per head": (
        lambda: layers.EinsumDense("abc,bcd->abd", (3, 2)),
        (3, 4),
    ),
    "Conv2D": (lambda: layers.Conv2D(3, 3, padding="same"), (5, 6, 2)),
    "Conv2D, valid": (lambda: layers.Conv2D(2, 3), (5, 6, 2)),
    "Conv2D, even kernel": (
        lambda: layers.Conv2D(2, (2, 4), padding="same"),
        (5, 6, 2),
    ),
    "Conv2D, strides": (
        lambda: layers.Conv2D(2, 3, strides=2, padding="same"),
        (6, 5, 2),
    ),
    "Conv2D, patches": (lambda: layers.Conv2D(4, 3, strides=3), (7, 7, 1)),
    "Conv2D, dilated": (
        lambda: layers.Conv2D(2, 2, dilation_rate=2, padding="same"),
        (5, 6, 2),
    ),
}
if keras.config.backend() != "tensorflow":  # which has none on a CPU
    KINDS["Conv2D, channels first"] = (
        lambda: layers.Conv2D(3, 3, padding="same", **CHANNELS_FIRST),
        (2, 5, 6),
    )

each_kind = pytest.mark.parametrize("kind", KINDS)


def to_numpy(x):
    return ops.convert_to_numpy(ops.cast(x, "float32")).astype("float64")


def normal(shape, seed=1):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def make(kind, scale=1.0, **arguments):
    """A built layer with a random kernel and bias, and its wrapper."""
    make_layer, shape = KINDS[kind]
    layer = make_layer()
    layer.build((None, *shape))
    layer.kernel.assign(scale * normal(layer.kernel.shape, seed=0))
    if layer.bias is not None:
        layer.bias.assign(normal(layer.bias.shape, seed=2))
    wrapper = SpectralNormalization(layer, **arguments)
    wrapper.build((None, *shape))
    return layer, wrapper, shape


def matrix(layer, shape):
    """The matrix of a layer: its outputs for each unit input, no bias."""
    size = int(np.prod(shape))
    units = np.eye(size, dtype="float32").reshape(size, *shape)
    columns = layer(units) - layer(np.zeros((1, *shape), "float32"))
    return to_numpy(columns).reshape(size, -1).T


def norm(layer, shape):
    return np.linalg.svd(matrix(layer, shape), compute_uv=False)[0]


def compiled_call(wrapper, shape):
    """A function that calls the wrapper in training and moves no weight."""
    inputs = keras.Input(shape)
    model = keras.Model(inputs, wrapper(inputs))
    model.compile(keras.optimizers.SGD(0.0), "mse")
    x = normal((1, *shape))
    return lambda: model.train_on_batch(x, np.zeros(model(x).shape))


@each_kind
def test_the_norm_is_the_smaller_of_its_own_and_the_bound(kind):
    layer, wrapper, shape = make(kind, power_iterations=250)
    iterate = compiled_call(wrapper, shape)
    for seed, scale in enumerate([0.01, 0.1, 1.0, 100.0]):
        layer.kernel.assign(scale * normal(layer.kernel.shape, seed))
        iterate()
        own = norm(layer, shape)
        assert abs(norm(wrapper, shape) - min(own, 0.95)) < 1e-2
        assert abs(to_numpy(wrapper.spectral_norm()) - own) < 1e-2 * own


@pytest.mark.parametrize("kind", ["Dense", "Conv2D"])
@pytest.mark.parametrize("norm_bound", [0.95, 10.0])
def test_a_thousand_iterations_recover_the_bound(kind, norm_bound):
    layer, wrapper, shape = make(
        kind, 100.0, norm_bound=norm_bound, power_iterations=1000
    )
    compiled_call(wrapper, shape)()
    assert norm(layer, shape) > 10.0
    np.testing.assert_allclose(norm(wrapper, shape), norm_bound, rtol=1e-2)


@pytest.mark.parametrize("kind", ["Dense", "Conv2D, strides"])
def test_calls_in_training_find_the_norm_one_iteration_each(kind):
    layer, wrapper, shape = make(kind)
    own, iterate = norm(layer, shape), compiled_call(wrapper, shape)
    found = []
    for _ in range(100):
        iterate()
        found.append(to_numpy(wrapper.spectral_norm()))
    assert found[0] < 0.99 * own < found[-1] < 1.0001 * own
    assert (np.diff(found) > -1e-4 * own).all()  # it never turns away


@each_kind
def test_a_layer_below_the_bound_is_left_exactly_alone(kind):
    layer, wrapper, shape = make(kind, norm_bound=1000.0)
    x = normal((3, *shape))
    wrapper(x, training=True)
    np.testing.assert_array_equal(to_numpy(wrapper(x)), to_numpy(layer(x)))


def test_a_kernel_is_divided_and_a_bias_is_not():
    layer, wrapper, _ = make("Dense", power_iterations=200)
    layer.activation = keras.activations.tanh
    x = normal((3, 7))
    wrapper(x, training=True)
    kernel = to_numpy(layer.kernel)
    kernel = kernel * 0.95 / np.linalg.svd(kernel)[1][0]
    expected = np.tanh(x @ kernel + to_numpy(layer.bias))
    np.testing.assert_allclose(to_numpy(wrapper(x)), expected, atol=1e-5)


@each_kind
def test_training_moves_the_estimate_only_and_inference_nothing(kind):
    layer, wrapper, shape = make(kind)
    x = normal((2, *shape))
    weights = [to_numpy(weight) for weight in layer.weights]
    start = to_numpy(wrapper.input_vector)
    one, two = to_numpy(wrapper(x)), to_numpy(wrapper(x, training=False))
    np.testing.assert_array_equal(one, two)
    np.testing.assert_array_equal(to_numpy(wrapper.input_vector), start)
    wrapper(x, training=True)
    moved = to_numpy(wrapper.input_vector)
    assert np.abs(moved - start).max() > 1e-3
    assert abs(np.linalg.norm(moved) - 1.0) < 1e-5
    for before, after in zip(weights, layer.weights, strict=True):
        np.testing.assert_array_equal(before, to_numpy(after))


def test_fit_moves_the_estimate_and_predict_and_evaluate_do_not():
    _, wrapper, shape = make("Dense")
    inputs = keras.Input(shape)
    model = keras.Model(inputs, wrapper(inputs))
    model.compile("sgd", "mse")
    x, y = normal((8, *shape)), normal((8, 5))
    start = to_numpy(wrapper.input_vector)
    model.predict(x, verbose=0)
    model.evaluate(x, y, verbose=0)
    np.testing.assert_array_equal(to_numpy(wrapper.input_vector), start)
    model.fit(x, y, verbose=0)
    assert np.abs(to_numpy(wrapper.input_vector) - start).max() > 1e-3


def test_training_cannot_leave_the_bound():
    # The targets ask for a norm of 5 in every direction, also in those that
    # the estimate does not look at.
    layer = layers.Dense(4, use_bias=False)
    wrapper = SpectralNormalization(layer)
    inputs = keras.Input((4,))
    model = keras.Model(inputs, wrapper(inputs))
    model.compile(keras.optimizers.SGD(0.5), "mse")
    x = normal((32, 4))
    for step in range(100):
        model.train_on_batch(x, 5.0 * x)
        assert step < 50 or norm(wrapper, (4,)) < 0.96
    assert norm(layer, (4,)) > 1.0
    assert norm(wrapper, (4,)) > 0.94


@settings(max_examples=12)
@given(
    kind=st.sampled_from(sorted(KINDS)),
    scale=st.floats(0.01, 100.0),
    norm_bound=st.floats(0.1, 5.0),
    seed=st.integers(0, 1000),
)
def test_outputs_move_no_farther_than_the_bound_allows(
    kind, scale, norm_bound, seed
):
    _, wrapper, shape = make(
        kind, scale, norm_bound=norm_bound, power_iterations=50
    )
    x, y = normal((2, 5, *shape), seed)
    wrapper(x, training=True)
    moved = np.linalg.norm(to_numpy(wrapper(x)) - to_numpy(wrapper(y)))
    assert moved <= 1.02 * norm_bound * np.linalg.norm(x - y)


def gradients_by_a_step(model, layers_, x, cotangent):
    """Gradients of `sum(outputs * cotangent)`: what one SGD step takes off."""
    weights = [w for layer in layers_ for w in layer.trainable_weights]
    before = [to_numpy(weight) for weight in weights]
    model.compile(
        keras.optimizers.SGD(1.0),
        lambda y, outputs: ops.sum(y * outputs),
        jit_compile=keras.config.backend() == "jax",
    )
    model.train_on_batch(x, cotangent)
    return [b - to_numpy(w) for b, w in zip(before, weights, strict=True)]


def slopes(function, value, step=1e-6):
    """Central differences of a scalar function of an array, in float64."""
    found = np.zeros(value.shape)
    for index in np.ndindex(value.shape):
        sides = []
        for sign in (1.0, -1.0):
            moved = value.copy()
            moved[index] += sign * step
            sides.append(function(moved))
        found[index] = (sides[0] - sides[1]) / (2 * step)
    return found


@pytest.mark.parametrize("scale", [0.01, 1.0])
@pytest.mark.parametrize(
    "kind",
    [
        "Dense",
        "EinsumDense, to heads",
        "EinsumDense, a matrix per head",
        "Conv2D, strides",
        "Conv2D, even kernel",
    ],
)
def test_the_gradient_of_the_kernel_is_the_finite_difference(kind, scale):
    layer, wrapper, shape = make(kind, scale, power_iterations=200)
    kernel, x = to_numpy(layer.kernel), normal((2, *shape))
    # The map is linear in the kernel: a matrix for each of its numbers.
    basis = []
    for index in np.ndindex(kernel.shape):
        unit = np.zeros(kernel.shape)
        unit[index] = 1.0
        layer.kernel.assign(unit)
        basis.append(matrix(layer, shape))
    layer.kernel.assign(kernel)
    inputs = keras.Input(shape)
    model = keras.Model(inputs, wrapper(inputs))
    cotangent = normal(model(x).shape, seed=3)
    rows = np.float64(x).reshape(2, -1), np.float64(cotangent).reshape(2, -1)

    sigma = norm(layer, shape)  # a constant for the gradient

    def loss(kernel):
        whole = np.tensordot(kernel.ravel(), basis, axes=1)
        outputs = rows[0] @ whole.T / max(sigma / 0.95, 1.0)
        return (outputs * rows[1]).sum()

    gradient, *_ = gradients_by_a_step(model, [layer], x, cotangent)
    expected = slopes(loss, kernel)
    size = np.abs(expected).max()
    np.testing.assert_allclose(gradient, expected, atol=1e-3 * size)


def test_the_gradient_below_the_layer_is_the_finite_difference():
    below = layers.Dense(7, use_bias=False)
    layer, wrapper, _ = make("Dense", power_iterations=250)
    layer.activation = keras.activations.tanh
    inputs = keras.Input((3,))
    model = keras.Model(inputs, wrapper(below(inputs)))
    x, cotangent = normal((2, 3)), normal((2, 5), seed=3)
    kernel, bias = to_numpy(layer.kernel), to_numpy(layer.bias)
    kernel = kernel * 0.95 / np.linalg.svd(kernel)[1][0]

    def loss_of_below(weight):
        return (np.tanh(x @ weight @ kernel + bias) * cotangent).sum()

    def loss_of_bias(bias):
        outputs = np.tanh(x @ before @ kernel + bias)
        return (outputs * cotangent).sum()

    before = to_numpy(below.kernel)
    first, _, last = gradients_by_a_step(model, [below, layer], x, cotangent)
    np.testing.assert_allclose(first, slopes(loss_of_below, before), atol=1e-4)
    np.testing.assert_allclose(last, slopes(loss_of_bias, bias), atol=1e-4)


def test_a_kernel_of_zeros_trains_and_is_bounded_when_it_has_grown():
    layer, wrapper, shape = make("Dense", scale=0.0)
    inputs = keras.Input(shape)
    model = keras.Model(inputs, wrapper(inputs))
    model.compile(keras.optimizers.SGD(0.1), "mse")
    x = normal((8, *shape))
    model.train_on_batch(x, normal((8, 5)))
    assert np.isfinite(to_numpy(layer.kernel)).all()
    assert np.abs(to_numpy(layer.kernel)).max() > 0
    layer.kernel.assign(normal(layer.kernel.shape))
    for _ in range(100):
        wrapper(x, training=True)
    assert abs(norm(wrapper, shape) - 0.95) < 1e-2


def test_a_direction_that_becomes_the_largest_is_found():
    # One factor per channel: power iteration alone leaves exact zeros for all
    # channels but the first, and would not see the second grow.
    layer = layers.EinsumDense("ab,b->ab", 2)
    wrapper = SpectralNormalization(layer, power_iterations=100)
    wrapper.build((None, 2))
    for kernel in ([10.0, 1.0], [10.0, 100.0]):
        layer.kernel.assign(kernel)
        wrapper(normal((1, 2)), training=True)
        assert abs(norm(wrapper, (2,)) - 0.95) < 1e-2


def test_a_kernel_of_nans_does_not_spoil_the_estimate():
    layer, wrapper, shape = make("Conv2D")
    before = to_numpy(wrapper.input_vector)
    layer.kernel.assign(np.full(layer.kernel.shape, np.nan))
    wrapper(normal((1, *shape)), training=True)
    after = to_numpy(wrapper.input_vector)
    np.testing.assert_allclose(after, before, atol=1e-6)


def test_lora_counts():
    layer, wrapper, shape = make("Dense", scale=0.01, power_iterations=200)
    layer.enable_lora(2)
    layer.lora_kernel_b.assign(10.0 * normal(layer.lora_kernel_b.shape))
    wrapper(normal((1, *shape)), training=True)
    assert norm(layer, shape) > 1.0
    assert abs(norm(wrapper, shape) - 0.95) < 1e-2


def test_a_file_restores_it_bit_for_bit(tmp_path):
    _, wrapper, shape = make("Conv2D, strides")
    inputs = keras.Input(shape)
    model = keras.Model(inputs, wrapper(inputs))
    x = normal((3, *shape))
    for _ in range(3):
        model(x, training=True)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(to_numpy(model(x)), to_numpy(loaded(x)))
    again = loaded.layers[-1]
    assert isinstance(again, SpectralNormalization)
    assert len(again.weights) == 3  # kernel, bias, input_vector
    for a, b in zip(wrapper.weights, again.weights, strict=True):
        np.testing.assert_array_equal(to_numpy(a), to_numpy(b))


def test_a_mask_passes_and_is_not_lost():
    inputs = keras.Input((3,), dtype="int32")
    x = layers.Embedding(5, 4, mask_zero=True)(inputs)
    x = SpectralNormalization(layers.Dense(2))(x)
    model = keras.Model(inputs, layers.GlobalAveragePooling1D()(x))
    short, long = np.array([[1, 2, 0]]), np.array([[1, 2, 3]])
    tokens = keras.Model(inputs, x)
    mean = to_numpy(tokens(long))[:, :2].mean(axis=1)
    np.testing.assert_allclose(to_numpy(model(short)), mean, rtol=1e-5)


def test_an_activity_regularizer_counts_once():
    layer = layers.Dense(3, activity_regularizer="l2")
    wrapper = SpectralNormalization(layer)
    wrapper(normal((2, 4)))
    assert len(wrapper.losses) == 1


def test_integers_go_through_a_dense_layer():
    layer, wrapper, _ = make("Dense", norm_bound=1000.0)
    x = np.arange(14).reshape(2, 7)
    expected = to_numpy(layer(x.astype("float32")))
    np.testing.assert_allclose(to_numpy(wrapper(x)), expected, rtol=1e-6)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_the_layer_and_the_wrapper_have_one_dtype_policy(policy):
    given = SpectralNormalization(layers.Dense(3), dtype=policy)
    taken = SpectralNormalization(layers.Dense(3, dtype=policy))
    again = SpectralNormalization.from_config(taken.get_config())
    for wrapper in (given, taken, again):
        assert wrapper.dtype_policy.name == policy
        assert wrapper.layer.dtype_policy.name == policy
        outputs = wrapper(10.0 * normal((2, 4)), training=True)
        assert keras.backend.standardize_dtype(outputs.dtype) == policy[6:]
        assert wrapper.input_vector.dtype == "float32"
        assert np.isfinite(to_numpy(outputs)).all()


# One test per message.


def test_another_dtype_than_that_of_a_built_layer_raises():
    layer = layers.Dense(3)
    layer.build((None, 4))
    with pytest.raises(ValueError) as error:
        SpectralNormalization(layer, dtype="mixed_bfloat16")
    assert "`dtype` must be that of the built layer" in str(error.value)
    assert "dtype='mixed_bfloat16'" in str(error.value)


@pytest.mark.parametrize("norm_bound", [0, -1.0, float("nan"), "1", None])
def test_a_bound_that_is_not_positive_raises(norm_bound):
    with pytest.raises(ValueError) as error:
        SpectralNormalization(layers.Dense(3), norm_bound)
    assert "`norm_bound` must be positive" in str(error.value)
    assert f"norm_bound={norm_bound!r}" in str(error.value)


@pytest.mark.parametrize("iterations", [0, -1, 1.0, True, None])
def test_a_number_of_iterations_that_is_no_count_raises(iterations):
    with pytest.raises(ValueError) as error:
        SpectralNormalization(layers.Dense(3), power_iterations=iterations)
    assert "`power_iterations` must be a positive integer" in str(error.value)
    assert f"power_iterations={iterations!r}" in str(error.value)


def test_a_layer_without_a_linear_map_raises():
    with pytest.raises(ValueError, match="one of Dense, EinsumDense, Conv2D"):
        SpectralNormalization(layers.LayerNormalization())


def test_an_unknown_image_size_raises():
    wrapper = SpectralNormalization(layers.Conv2D(2, 3))
    with pytest.raises(ValueError, match="the height and the width"):
        wrapper(keras.Input((None, None, 3)))


def test_images_of_another_size_raise():
    _, wrapper, _ = make("Conv2D")
    with pytest.raises(ValueError, match="expected axis 1"):
        wrapper(normal((1, 6, 6, 2)))


def test_a_quantized_layer_raises():
    layer, wrapper, shape = make("Dense")
    layer.quantize("int8")
    with pytest.raises(ValueError) as error:
        wrapper(normal((1, *shape)))
    assert "The norm of a quantized kernel is unknown" in str(error.value)
    assert "quantization_mode='int8'" in str(error.value)
