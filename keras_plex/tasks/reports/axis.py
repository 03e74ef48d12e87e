"""From numbers to places in a chart."""

import dataclasses
import math
from collections.abc import Callable
from collections.abc import Iterable

import numpy as np

NICE_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
# From here on a linear axis would squeeze the small values together.
LOG_RATIO = 20.0
# "sqrt" shows small shares beside large ones, and 0 as well.
SCALES: dict[str, Callable[[float], float]] = {
    "linear": float,
    "log": math.log,
    "sqrt": math.sqrt,
}


@dataclasses.dataclass(frozen=True)
class Axis:
    """A range of numbers on a range of pixels.

    Args:
        low: the number at `start`.
        high: the number at `stop`, above `low`.
        start: pixel.
        stop: pixel.
        scale: a key of `SCALES`; of its numbers equal differences are equally
            long.
    """

    low: float
    high: float
    start: float
    stop: float
    scale: str = "linear"

    def __call__(self, value: float) -> float:
        """The pixel of a number; one beyond the ends is put at the end."""
        value = min(max(value, self.low), self.high)
        scaled = SCALES[self.scale]
        low, high, value = scaled(self.low), scaled(self.high), scaled(value)
        share = (value - low) / (high - low)
        return self.start + share * (self.stop - self.start)


def range_of(values: Iterable[float]) -> tuple[float, float]:
    """The range of the finite numbers; of equal ones a range around them."""
    finite = [value for value in values if math.isfinite(value)]
    low, high = (min(finite), max(finite)) if finite else (0.0, 1.0)
    if high - low > 1e-9 * max(abs(low), abs(high)):
        return low, high
    half = 0.05 * max(abs(low), abs(high)) or 0.5
    return low - half, high + half


def padded_range(values: Iterable[float]) -> tuple[float, float]:
    """The range with some room, but none beyond 0 and 1 for shares."""
    values = list(values)
    low, high = range_of(values)
    room = 0.06 * (high - low)
    finite = [value for value in values if math.isfinite(value)]
    floor = 0.0 if finite and min(finite) >= 0 else -math.inf
    ceiling = 1.0 if finite and max(finite) <= 1 else math.inf
    return max(low - room, floor), min(high + room, ceiling)


def nice_ticks(low: float, high: float, count: int = 5) -> list[float]:
    """Round numbers from `low` to `high`, at most about `count` of them.

    Example:

    >>> nice_ticks(0.0, 1.0)
    [0.0, 0.25, 0.5, 0.75, 1.0]
    """
    rough = (high - low) / (count - 1)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(
        nice * power for nice in NICE_STEPS if nice * power >= rough * 0.999
    )
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [float(np.round(i * step, 12)) for i in range(first, last + 1)]


def ticks_at(values: Iterable[float], axis: Axis, gap: float) -> list[float]:
    """Those values on the axis whose labels do not overlap."""
    kept: list[float] = []
    for value in sorted(set(values)):
        if not axis.low <= value <= axis.high:
            continue
        if not kept or abs(axis(value) - axis(kept[-1])) >= gap:
            kept.append(value)
    return kept


def wants_log(values: Iterable[float]) -> bool:
    """Whether positive numbers reach over several orders of magnitude."""
    finite = [value for value in values if math.isfinite(value)]
    if not finite or min(finite) <= 0:
        return False
    return max(finite) / min(finite) >= LOG_RATIO


def tick_label(value: float) -> str:
    """A short number: `0.25`, `20k`.

    Example:

    >>> [tick_label(value) for value in (0.0, 0.25, 1.0, 20000.0)]
    ['0', '0.25', '1', '20k']
    """
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= size:
            scale = 1e3 if letter == "k" else size
            return f"{value / scale:.4g}{letter}"
    return f"{value:.4g}"
