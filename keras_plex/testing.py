"""Asserts that an object keeps the contracts of its kind: yours too."""

import functools
import inspect
import json
import pathlib
import tempfile
from collections.abc import Callable

import keras
import numpy as np
from keras import ops

from keras_plex.types import Config
from keras_plex.types import Tensor


def check_layer(
    layer_class: type[keras.layers.Layer],
    arguments: Config,
    input_shape: tuple[int, ...],
) -> None:
    """Asserts what Keras users expect of a layer, or says what breaks.

    For the tests of your own layers. It calls the layer, puts it into small
    models, trains them for a step, also under XLA, and saves one to a file.

    Args:
        layer_class: a registered layer from one float tensor to another.
        arguments: what its constructor is called with.
        input_shape: the shape of one batch of inputs, `(batch, ..., dim)`.

    Example:

    >>> check_layer(keras.layers.Dense, {"units": 3}, input_shape=(4, 2))
    """
    x = np.random.default_rng(0).normal(size=input_shape).astype("float32")
    make = functools.partial(layer_class, **arguments)
    for contract, check in LAYER_CONTRACTS.items():
        try:
            check(make, x)
        except Exception as error:
            breaks = f"{layer_class.__name__} breaks the contract {contract!r}"
            raise AssertionError(f"{breaks}: {error!r}") from error


def _check_config(make: Callable, x: Tensor) -> None:
    layer = make()
    config = json.loads(json.dumps(layer.get_config()))
    classes = type(layer).__mro__
    stock = next(c for c in classes if c.__module__.startswith("keras."))
    of_stock = _constructor_arguments(stock) | set(stock.get_config(layer))
    own = _constructor_arguments(type(layer)) - of_stock
    assert own <= set(config), f"get_config lacks {own - set(config)}"
    extra = set(config) - own - of_stock
    assert not extra, f"get_config holds {extra}: no arguments"
    again = json.loads(json.dumps(layer.from_config(config).get_config()))
    changed = [name for name in config if config[name] != again.get(name)]
    assert not changed, f"from_config(get_config()) changes {changed}"
    for name in own:
        assert hasattr(layer, name), f"no attribute {name!r}"
        kept = getattr(layer, name)
        # A name that became a function or an initializer may differ.
        if isinstance(kept, int | float | str) or kept is None:
            assert kept == config[name], f"{name}={config[name]!r} is {kept!r}"


def _constructor_arguments(layer_class: type) -> set[str]:
    bases = [c for c in layer_class.__mro__ if "__init__" in vars(c)]
    signatures = [inspect.signature(base.__init__) for base in bases]
    return {name for signature in signatures for name in signature.parameters}


def _check_symbolic(make: Callable, x: Tensor) -> None:
    for batch in (len(x), None):
        layer = make()
        symbolic, eager = layer(keras.Input(x.shape[1:], batch)), layer(x)
        assert np.isfinite(_to_numpy(eager)).all(), "outputs are not finite"
        sizes = zip(symbolic.shape, eager.shape, strict=True)
        same = all(size in (None, real) for size, real in sizes)
        assert same, f"shape {symbolic.shape}, eager {eager.shape}"
        dtype = keras.backend.standardize_dtype(eager.dtype)
        assert symbolic.dtype == dtype, f"{symbolic.dtype}, eager {dtype}"


def _check_seed(make: Callable, x: Tensor) -> None:
    if "seed" in make().get_config():
        one, two = _to_numpy(make(seed=7)(x)), _to_numpy(make(seed=7)(x))
        assert np.array_equal(one, two), "two instances with one seed differ"


def _check_file(make: Callable, x: Tensor) -> None:
    model = _functional(make(), x)
    model(x, training=True)  # moves what training moves
    with tempfile.TemporaryDirectory() as directory:
        path = pathlib.Path(directory) / "model.keras"
        model.save(path)
        loaded = keras.saving.load_model(path)
    difference = np.abs(_to_numpy(model(x)) - _to_numpy(loaded(x))).max()
    assert difference == 0, f"loaded outputs differ by {difference:.1e}"


def _check_precision(make: Callable, x: Tensor) -> None:
    for policy in ("mixed_bfloat16", "bfloat16"):
        layer = make(dtype=policy)
        layer(x, training=True)
        assert np.isfinite(_to_numpy(layer(x))).all(), f"{policy} not finite"
        dtypes = {weight.name: weight.dtype for weight in layer.weights}
        for name in ("precision", "root"):  # statistics: sums over many rows
            dtype = dtypes.get(name, "float32")
            assert dtype == "float32", f"{name} is {dtype} under {policy}"


def _check_training(make: Callable, x: Tensor) -> None:
    # Under PyTorch `jit_compile` is another compiler, and a slow one.
    has_xla = keras.config.backend() != "torch"
    for wrap in (_functional, _Subclassed):
        layer = make()
        model = wrap(layer, x)
        targets = np.ones(model(x).shape, "float32")
        for jit_compile in (False, has_xla):
            before = [_to_numpy(weight) for weight in layer.trainable_weights]
            model.compile("sgd", "mse", jit_compile=jit_compile)
            loss = model.train_on_batch(x, targets)
            assert np.isfinite(loss), f"the loss is {loss}, {jit_compile=}"
            after = [_to_numpy(weight) for weight in layer.trainable_weights]
            still = all(map(np.array_equal, before, after))
            assert not (before and still), f"no weight moves, {jit_compile=}"


def _functional(layer: keras.layers.Layer, x: Tensor) -> keras.Model:
    inputs = keras.Input(x.shape[1:])
    # A layer before it, so that gradients have to pass through.
    return keras.Model(inputs, layer(keras.layers.Dense(x.shape[-1])(inputs)))


class _Subclassed(keras.Model):
    def __init__(self, layer: keras.layers.Layer, x: Tensor):
        super().__init__(name="subclassed")
        self.dense, self.layer = keras.layers.Dense(x.shape[-1]), layer

    def call(self, inputs, training=None):
        return self.layer(self.dense(inputs), training=training)


def _to_numpy(x: Tensor) -> np.ndarray:
    return ops.convert_to_numpy(ops.cast(x, "float32"))


LAYER_CONTRACTS = {
    "config and attributes": _check_config,
    "symbolic equals eager": _check_symbolic,
    "one seed, one layer": _check_seed,
    "file round trip": _check_file,
    "low precision": _check_precision,
    "trains in a Functional and in a subclassed model": _check_training,
}
