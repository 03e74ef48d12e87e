"""What Keras users expect of a layer, as one assertion."""

import pathlib
import tempfile
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from keras_plex.testing.shared import JIT_COMPILE
from keras_plex.testing.shared import check_config
from keras_plex.testing.shared import check_contracts
from keras_plex.testing.shared import to_numpy
from keras_plex.types import Config
from keras_plex.types import Tensor


def check_layer(
    layer_class: type[keras.layers.Layer],
    arguments: Config,
    input_shape: tuple[int, ...],
    input_dtype: str = "float32",
) -> None:
    """Asserts what Keras users expect of a layer, or says what breaks.

    For the tests of your own layers, on the backend in use. It calls the
    layer, puts it into small models, trains them for a step, also compiled by
    XLA where the backend has it, and saves one to a file.

    Args:
        layer_class: a registered layer from one tensor to another.
        arguments: what its constructor is called with. A layer among them is
            copied for each call.
        input_shape: the shape of one batch of inputs, `(batch, ..., dim)`.
        input_dtype: of the inputs: a float type, whose numbers are normal, or
            an integer one, whose numbers are 0, 1 or 2.

    Example:

    >>> check_layer(keras.layers.Dense, {"units": 3}, input_shape=(4, 2))
    """
    generator = np.random.default_rng(0)
    if "int" in input_dtype:
        x = generator.integers(3, size=input_shape).astype(input_dtype)
    else:
        x = generator.normal(size=input_shape).astype(input_dtype)

    def make(**others) -> keras.layers.Layer:
        fresh = {name: _fresh(value) for name, value in arguments.items()}
        return layer_class(**{**fresh, **others})

    check_contracts(layer_class, LAYER_CONTRACTS, make, x)


def _fresh(value: Any) -> Any:
    # A layer that another one wraps belongs to it alone.
    if isinstance(value, keras.layers.Layer):
        return value.from_config(value.get_config())
    return value


def _check_symbolic(make: Callable, x: Tensor) -> None:
    for batch in (len(x), None):
        layer = make()
        symbolic, eager = layer(_symbolic_input(x, batch)), layer(x)
        assert np.isfinite(to_numpy(eager)).all(), "outputs are not finite"
        promised, found = tuple(symbolic.shape), tuple(eager.shape)
        sizes = zip(promised, found, strict=True)
        same = all(size in (None, real) for size, real in sizes)
        assert same, f"shape {promised}, eager {found}"
        dtype = keras.backend.standardize_dtype(eager.dtype)
        assert symbolic.dtype == dtype, f"{symbolic.dtype}, eager {dtype}"


def _check_determinism(make: Callable, x: Tensor) -> None:
    layer = make()
    layer(x, training=True)  # moves what training moves
    one, two = to_numpy(layer(x)), to_numpy(layer(x))
    assert np.array_equal(one, two), "two calls with one input differ"


def _check_seed(make: Callable, x: Tensor) -> None:
    if "seed" in make().get_config():
        one, two = to_numpy(make(seed=7)(x)), to_numpy(make(seed=7)(x))
        assert np.array_equal(one, two), "two instances with one seed differ"


def _check_file(make: Callable, x: Tensor) -> None:
    model = _functional(make(), x)
    model(x, training=True)  # moves what training moves
    with tempfile.TemporaryDirectory() as directory:
        path = pathlib.Path(directory) / "model.keras"
        model.save(path)
        loaded = keras.saving.load_model(path)
    difference = np.abs(to_numpy(model(x)) - to_numpy(loaded(x))).max()
    assert difference == 0, f"loaded outputs differ by {difference:.1e}"


def _check_precision(make: Callable, x: Tensor) -> None:
    for policy in ("mixed_bfloat16", "bfloat16", "mixed_float16"):
        layer = make(dtype=policy)
        layer(x, training=True)
        assert np.isfinite(to_numpy(layer(x))).all(), f"{policy} not finite"
        dtypes = {weight.name: weight.dtype for weight in layer.weights}
        for name in ("precision", "root"):  # statistics: sums over many rows
            dtype = dtypes.get(name, "float32")
            assert dtype == "float32", f"{name} is {dtype} under {policy}"


def _check_training(make: Callable, x: Tensor) -> None:
    choices = JIT_COMPILE[keras.config.backend()]
    for wrap, jit_compile in zip(
        (_functional, _Subclassed), choices, strict=True
    ):
        layer = make()
        model = wrap(layer, x)
        targets = np.ones(model(x).shape, "float32")
        before = [to_numpy(weight) for weight in layer.trainable_weights]
        model.compile("sgd", "mse", jit_compile=jit_compile)
        can_train = bool(model.trainable_weights)
        step = model.train_on_batch if can_train else model.test_on_batch
        loss = step(x, targets)
        assert np.isfinite(loss), f"the loss is {loss}, {jit_compile=}"
        after = [to_numpy(weight) for weight in layer.trainable_weights]
        still = all(map(np.array_equal, before, after))
        assert not (before and still), f"no weight moves, {jit_compile=}"


def _functional(layer: keras.layers.Layer, x: Tensor) -> keras.Model:
    inputs = _symbolic_input(x)
    return keras.Model(inputs, layer(_layer_before(x)(inputs)))


class _Subclassed(keras.Model):
    def __init__(self, layer: keras.layers.Layer, x: Tensor):
        super().__init__(name="subclassed")
        self.before, self.layer = _layer_before(x), layer

    def call(self, inputs, training=None):
        return self.layer(self.before(inputs), training=training)


def _layer_before(x: Tensor) -> keras.layers.Layer:
    if "int" in str(x.dtype):
        return keras.layers.Identity()
    # It has weights, so that gradients have to pass through.
    return keras.layers.Dense(x.shape[-1])


def _symbolic_input(x: Tensor, batch: int | None = None) -> keras.KerasTensor:
    return keras.Input(x.shape[1:], batch, str(x.dtype))


LAYER_CONTRACTS = {
    "config and attributes": check_config,
    "symbolic equals eager": _check_symbolic,
    "inference repeats": _check_determinism,
    "one seed, one layer": _check_seed,
    "file round trip": _check_file,
    "low precision": _check_precision,
    "trains in a Functional and in a subclassed model": _check_training,
}
