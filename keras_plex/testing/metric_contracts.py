"""What users of streaming metrics expect of one, as one assertion."""

import json
import pathlib
import tempfile
from collections.abc import Callable
from typing import NamedTuple

import keras
import numpy as np

from keras_plex.testing.shared import JIT_COMPILE
from keras_plex.testing.shared import check_config
from keras_plex.testing.shared import check_contracts
from keras_plex.testing.shared import to_numpy
from keras_plex.types import Config

# Draws a number of examples: `(y_true, y_pred)`, arrays with as many rows.
MakeBatch = Callable[[np.random.Generator, int], tuple[np.ndarray, np.ndarray]]

EXAMPLES, BATCH = 40, 20


class _Data(NamedTuple):
    """Labels, predictions and weights; and what the checks are to know."""

    y_true: np.ndarray
    y_pred: np.ndarray
    weights: np.ndarray
    reads_labels: bool
    tolerance: float

    @property
    def columns(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return self.y_true, self.y_pred, self.weights

    def rows(self, index) -> tuple[np.ndarray, ...]:
        return tuple(column[index] for column in self.columns)


def check_metric(
    metric_class: type[keras.metrics.Metric],
    arguments: Config,
    make_batch: MakeBatch,
    *,
    reads_labels: bool = True,
    tolerance: float = 2e-6,
) -> None:
    """Asserts what users expect of a streaming metric, or says what breaks.

    For the tests of your own metrics, on the backend in use. The result is a
    number that depends on the examples and their weights alone, not on their
    order or batches; it is NaN where there is none to give. The metric merges,
    resets, is saved, and works in `fit` and `evaluate`, also compiled by XLA
    where the backend has it.

    Args:
        metric_class: a registered metric, such as a `ForecastMetric`.
        arguments: what its constructor is called with.
        make_batch: `make_batch(generator, size)` draws `size` examples with a
            NumPy generator and returns `(y_true, y_pred)`.
        reads_labels: whether the result depends on `y_true`. Defaults to
            `True`.
        tolerance: how far equal results may lie apart. Defaults to `2e-6`.

    Example:

    >>> from keras_plex.metrics import BrierScore
    >>> def make_batch(generator, size):
    ...     probabilities = generator.dirichlet([1.0, 1.0, 1.0], size)
    ...     return generator.integers(3, size=size), probabilities
    >>> check_metric(BrierScore, {}, make_batch)
    """
    generator = np.random.default_rng(0)
    y_true, y_pred = map(np.asarray, make_batch(generator, EXAMPLES))
    weights = generator.uniform(0.5, 2.0, EXAMPLES).astype("float32")
    data = _Data(y_true, y_pred, weights, reads_labels, tolerance)

    def make(**others) -> keras.metrics.Metric:
        return metric_class(**{**arguments, **others})

    check_contracts(metric_class, METRIC_CONTRACTS, make, data)


def _result(metric: keras.metrics.Metric) -> float:
    return float(to_numpy(metric.result()))


def _one_shot(make: Callable, *columns: np.ndarray) -> float:
    metric = make()
    metric.update_state(*columns)
    return _result(metric)


def _check_equal(found: float, expected: float, data: _Data) -> None:
    assert np.isfinite(expected), f"the result is {expected}"
    close = abs(found - expected) <= data.tolerance
    assert close, f"{found!r} where {expected!r} is right"


def _check_streaming(make: Callable, data: _Data) -> None:
    expected = _one_shot(make, *data.columns)
    generator = np.random.default_rng(1)
    for cuts in ([1], [20], [1, 1, 3]):  # once a batch of no example
        order = generator.permutation(EXAMPLES)
        metric = make()
        for rows in np.split(order, cuts):
            metric.update_state(*data.rows(rows))
        _check_equal(_result(metric), expected, data)


def _check_merge(make: Callable, data: _Data) -> None:
    for cuts in ([0, 20], [20, 40]):  # one part of three has seen nothing
        parts = [make(name=name) for name in ("first", "second", "third")]
        for part, rows in zip(
            parts, np.split(np.arange(EXAMPLES), cuts), strict=True
        ):
            if len(rows):
                part.update_state(*data.rows(rows))
        parts[0].merge_state(parts[1:])
        expected = _one_shot(make, *data.columns)
        _check_equal(_result(parts[0]), expected, data)
    _check_raises(lambda: make().merge_state([keras.metrics.Mean()]))


def _check_weights(make: Callable, data: _Data) -> None:
    counts = np.arange(EXAMPLES) % 4
    # Not members, but examples: each as often as its weight says.
    repeated = np.array([i for i in range(EXAMPLES) for _ in range(counts[i])])
    expected = _one_shot(make, data.y_true[repeated], data.y_pred[repeated])
    found = _one_shot(make, data.y_true, data.y_pred, counts)
    _check_equal(found, expected, data)


def _check_weight_zero(make: Callable, data: _Data) -> None:
    expected = _one_shot(make, *data.rows(slice(1, None)))
    y_true, y_pred, weights = (column.copy() for column in data.columns)
    y_true[0], y_pred[0], weights[0] = -1, np.nan, 0.0
    _check_equal(_one_shot(make, y_true, y_pred, weights), expected, data)


def _check_reset(make: Callable, data: _Data) -> None:
    metric = make()
    assert np.isnan(_result(metric)), "not NaN before data"
    metric.update_state(*data.columns)
    first = _result(metric)
    metric.reset_state()
    assert np.isnan(_result(metric)), "not NaN after `reset_state`"
    metric.update_state(*data.columns)
    _check_equal(_result(metric), first, data)


def _check_nan(make: Callable, data: _Data) -> None:
    y_pred = data.y_pred.copy()
    y_pred[3] = np.nan
    found = _one_shot(make, data.y_true, y_pred)
    assert np.isnan(found), f"{found!r} after a NaN prediction"
    if data.reads_labels:
        for label in (-1, 1000):
            y_true = data.y_true.copy()
            y_true[3] = label
            found = _one_shot(make, y_true, data.y_pred)
            assert np.isnan(found), f"{found!r} after a label {label}"


def _check_unit_axes(make: Callable, data: _Data) -> None:
    y_true, y_pred, weights = data.columns
    expected = _one_shot(make, y_true, y_pred, weights)
    if y_true.ndim == 1:
        y_true = y_true[:, None]
    found = _one_shot(make, y_true, y_pred, weights[:, None])
    assert found == expected, f"{found!r}, without unit axes {expected!r}"


def _check_precision(make: Callable, data: _Data) -> None:
    metric = make(dtype="float16")
    metric.update_state(*data.columns)
    for variable in metric.variables:
        assert variable.dtype not in ("float16", "bfloat16"), (
            f"{variable.name} is {variable.dtype} under float16"
        )


def _check_file(make: Callable, data: _Data) -> None:
    check_config(make, data)
    metric = make(name="mine")
    config = json.dumps(keras.saving.serialize_keras_object(metric))
    copy = keras.saving.deserialize_keras_object(json.loads(config))
    assert type(copy) is type(metric), f"a {type(copy).__name__} comes back"
    assert copy.get_config() == metric.get_config(), copy.get_config()


def _check_rows(make: Callable, data: _Data) -> None:
    y_true, y_pred, weights = data.columns
    if data.reads_labels:
        _check_raises(lambda: make().update_state(y_true[:-1], y_pred))
    for bad in (weights[:-1], np.stack([weights, weights], 1)):
        _check_raises(lambda bad=bad: make().update_state(y_true, y_pred, bad))


def _check_raises(call: Callable) -> None:
    try:
        call()
    except ValueError:
        return
    raise AssertionError("no ValueError for what does not fit together")


def _check_training(make: Callable, data: _Data) -> None:
    y_true, y_pred, weights = data.columns
    if y_pred.ndim == 1:
        y_pred = y_pred[:, None]
    y_pred = y_pred.astype("float32")
    expected = _one_shot(make, y_true, y_pred, weights)
    for jit_compile in sorted(set(JIT_COMPILE[keras.config.backend()])):
        model = _identity_model(y_pred.shape[1:])
        model.compile(
            keras.optimizers.SGD(0.0),
            weighted_metrics=[make(name="mine")],
            jit_compile=jit_compile,
        )
        logs = model.fit(
            y_pred,
            y_true,
            sample_weight=weights,
            validation_data=(y_pred, y_true, weights),
            batch_size=BATCH,
            verbose=0,
        ).history
        for name in ("mine", "val_mine"):
            _check_equal(logs[name][-1], expected, data)
    with tempfile.TemporaryDirectory() as directory:
        path = pathlib.Path(directory) / "model.keras"
        model.save(path)
        loaded = keras.saving.load_model(path)
    logs = loaded.evaluate(
        y_pred,
        y_true,
        sample_weight=weights,
        batch_size=BATCH,
        return_dict=True,
        verbose=0,
    )
    _check_equal(logs["mine"], expected, data)


def _identity_model(shape: tuple[int, ...]) -> keras.Model:
    """A model that trains, and whose outputs are its inputs."""
    layer = keras.layers.Dense(
        shape[-1],
        use_bias=False,
        kernel_initializer="identity",
        # A loss that is there, and 0.
        activity_regularizer=keras.regularizers.L2(0.0),
    )
    return keras.Sequential([keras.Input(shape), layer])


METRIC_CONTRACTS = {
    "config and file": _check_file,
    "streaming equals one shot": _check_streaming,
    "parts merge to the whole": _check_merge,
    "an integer weight repeats an example": _check_weights,
    "an example of weight 0 is absent": _check_weight_zero,
    "NaN before data and after a reset": _check_reset,
    "NaN where there is no number": _check_nan,
    "labels and weights may have a unit axis": _check_unit_axes,
    "sums are never in half precision": _check_precision,
    "rows that do not fit together raise": _check_rows,
    "works in fit and evaluate": _check_training,
}
