"""What a forecast costs: arithmetic and time."""

import dataclasses
import statistics
import time
from typing import Any

import keras
from keras import ops
from keras import tree

from keras_plex.batches import as_array
from keras_plex.batches import is_texts
from keras_plex.checks import is_positive_integer
from keras_plex.models.batch_details import predict_batch
from keras_plex.tasks.cost_flops import count_flops

WARM_UP = 2
MAX_REPEATS = 20
MIN_REPEATS = 3
MAX_SECONDS = 2.0


@dataclasses.dataclass(frozen=True)
class Cost:
    """What one forecast of a model costs, with all its members.

    Args:
        flops: floating point operations per example, a multiply-add being
            two; `None` where they are not known.
        flops_source: what counted them, or why nothing could.
        seconds_one: median time of a batch of one example.
        seconds_batch: median time of a batch of `batch_size`.
        batch_size: examples in the second.
        repeats: how many times of each the median is taken of.
        device: what it ran on.
    """

    flops: float | None
    flops_source: str
    seconds_one: float
    seconds_batch: float
    batch_size: int
    repeats: int
    device: str

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return dataclasses.asdict(self)

    @property
    def seconds_per_example(self) -> float:
        """Of a whole batch."""
        return self.seconds_batch / self.batch_size


def measure_cost(model: keras.Model, x: Any, *, batch_size: int = 32) -> Cost:
    """Counts the arithmetic of a forecast and takes its time.

    Times are medians of up to 20 passes after 2 to warm up, with inputs and
    outputs in the memory of the host, compiled as `predict` is. FLOPs are
    those of TensorFlow's profiler (with `Einsum` added, which it leaves out),
    of XLA's cost analysis under JAX, of `torch.utils.flop_counter` under
    PyTorch, which counts products of matrices and convolutions alone: compare
    them within one backend.

    Args:
        model: a `PlexModel` or another ensemble, or any Keras classifier.
        x: one batch of what `predict` takes; its first examples are used, and
            again from the start where it holds too few.
        batch_size: of the second time. Defaults to `32`.

    Example:

    >>> layers = [keras.layers.Dense(8, "relu"), keras.layers.Dense(3)]
    >>> model = keras.Sequential([keras.Input((4,)), *layers])
    >>> cost = measure_cost(model, np.ones((2, 4), "float32"))
    >>> 2 * (4 * 8 + 8 * 3) <= cost.flops < 200, cost.batch_size
    (True, 32)
    """
    if not is_positive_integer(batch_size):
        raise ValueError(
            "`batch_size` must be a positive integer. "
            f"Received: batch_size={batch_size!r}"
        )
    batch, one = _examples(x, batch_size), _examples(x, 1)
    flops, source = count_flops(model, batch)
    seconds_one, repeats_one = _median_seconds(model, one)
    seconds_batch, repeats = _median_seconds(model, batch)
    return Cost(
        flops=None if flops is None else flops / batch_size,
        flops_source=source,
        seconds_one=seconds_one,
        seconds_batch=seconds_batch,
        batch_size=batch_size,
        repeats=min(repeats_one, repeats),
        device=_device(),
    )


def _examples(x: Any, count: int) -> Any:
    """So many examples, from the first on, and again from the start."""
    if is_texts(x):
        return [x[i % len(x)] for i in range(count)]
    return tree.map_structure(
        lambda leaf: leaf[[i % len(leaf) for i in range(count)]],
        tree.map_structure(as_array, x),
    )


def _median_seconds(model: keras.Model, x: Any) -> tuple[float, int]:
    """The median time of a pass, and of how many."""
    for _ in range(WARM_UP):
        predict_batch(model, x)
    times: list[float] = []
    while len(times) < MAX_REPEATS and (
        len(times) < MIN_REPEATS or sum(times) < MAX_SECONDS
    ):
        start = time.perf_counter()
        predict_batch(model, x)
        times.append(time.perf_counter() - start)
    return statistics.median(times), len(times)


def _device() -> str:
    device = getattr(ops.convert_to_tensor(0.0), "device", "unknown")
    # TensorFlow names the job and the task before it.
    return str(device).rpartition("device:")[2].lower()
