"""How far a measure may be from the one on other examples of the same kind."""

import zlib
from collections.abc import Callable
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from keras_plex.tasks.examples import Evidence
from keras_plex.tasks.measures import find_measure

LEVEL = 0.95
# Of fewer draws none is beyond the ends of a 95 % interval. And that as many
# examples all speak for one of two equal models is a chance of 2 / 2**20.
FEWEST = 20


class Interval(NamedTuple):
    """Where a measure lies, with 95 % confidence; NaN where none is known."""

    low: float
    high: float


def bootstrap_intervals(
    measure: Callable[[Evidence], Mapping[str, float]],
    evidence: Evidence,
    *,
    resamples: int,
    seed: int,
) -> dict[str, Interval]:
    """The 95 % interval of each measure, from examples drawn with replacement.

    Each resample draws as many examples of each set as it holds. The interval
    is that of the middle 95 % of the measures of resamples, moved by the
    distance of their mean from the measure itself, and cut to what is
    possible. Without that move a measure that repeated examples change one way,
    such as a calibration error, would lie outside its own interval; others are
    hardly moved. It costs as much time as measuring `resamples` times.

    There is no interval (NaN) for fewer than 20 resamples, where a set holds
    fewer than 20 examples, and for a measure that most resamples leave
    undefined.

    What is drawn depends on the seed, the name and the size of a set alone:
    for two models it is the same, so that their difference can be measured
    resample by resample.

    Args:
        measure: from evidence to named numbers.
        evidence: what the model said.
        resamples: how many.
        seed: int, of the drawing.

    Reference:
        Efron, 1979, "Bootstrap methods: another look at the jackknife".
    """
    values = measure(evidence)
    drawn = draw_measures(measure, evidence, resamples=resamples, seed=seed)
    return {
        name: bootstrap_interval(name, value, drawn.get(name, np.array([])))
        for name, value in values.items()
    }


def draw_measures(
    measure: Callable[[Evidence], Mapping[str, float]],
    evidence: Evidence,
    *,
    resamples: int,
    seed: int,
) -> dict[str, np.ndarray]:
    """Each measure of each resample, `(resamples,)`; NaN where it has none.

    Nothing is drawn where a set holds fewer than 20 examples: draws of one
    example are all alike, as if the measure were known for certain.
    """
    if min(map(len, evidence.sets.values()), default=0) < FEWEST:
        return {}
    drawn = [
        measure(resample(evidence, seed, number)) for number in range(resamples)
    ]
    names = dict.fromkeys(name for one in drawn for name in one)
    return {
        name: np.array([one.get(name, np.nan) for one in drawn], "float32")
        for name in names
    }


def resample(evidence: Evidence, seed: int, number: int) -> Evidence:
    """Evidence of resample `number`: the examples drawn with replacement."""
    sets = {}
    for name, examples in evidence.sets.items():
        size = len(examples)
        source = zlib.crc32((examples.drawn_with or name).encode())
        generator = np.random.default_rng([seed, number, source])
        sets[name] = examples.draw(generator.integers(size, size=size))
    return Evidence(sets, evidence.num_classes)


def bootstrap_interval(name: str, value: float, drawn: np.ndarray) -> Interval:
    """The 95 % interval of a measure from that of `draw_measures`."""
    ends = moved_percentiles(value, drawn)
    if not np.isfinite(ends).all():
        return Interval(np.nan, np.nan)
    kind = find_measure(name)
    low, high = np.clip(ends, kind.lowest, kind.highest)
    # Rounding may bring the value itself out of what is possible.
    return Interval(float(min(low, value)), float(max(high, value)))


def moved_percentiles(value: float, drawn: np.ndarray) -> Interval:
    """The middle 95 % of drawn values, moved so that their mean is `value`.

    NaN where fewer than 20 of them, or less than half, are finite.
    """
    values = np.asarray(drawn, float)
    values = values[np.isfinite(values)]
    is_enough = len(values) >= max(FEWEST, np.size(drawn) / 2)
    if not is_enough or not np.isfinite(value):
        return Interval(np.nan, np.nan)
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(values, [tail, 1 - tail]) - (values.mean() - value)
    return Interval(float(low), float(high))
