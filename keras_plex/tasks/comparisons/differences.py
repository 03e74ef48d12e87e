"""How far two models are apart on the same examples, and how sure that is."""

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING
from typing import Any

import numpy as np

from keras_plex.tasks.bootstrap import LEVEL
from keras_plex.tasks.bootstrap import moved_percentiles
from keras_plex.tasks.measures import find_measure
from keras_plex.tasks.reports.result import TaskResult
from keras_plex.tasks.reports.result import Value

if TYPE_CHECKING:
    from keras_plex.tasks.reports.report import Report

# Of the float32 numbers, between 0 and 1 or larger, that all is made of.
ROUNDING = float(np.finfo("float32").eps)


@dataclasses.dataclass(frozen=True)
class Difference:
    """A measure of a model less that of the baseline.

    Args:
        value: of the model.
        baseline_value: of the baseline.
        low: lower end of the paired 95 % interval of the difference; NaN
            where there is none, as of fewer than 20 resamples or examples.
        high: upper end.
        higher_is_better: direction of the measure.
        confirmed: whether it also holds together with all the headlines and
            scores of a comparison; `None` for other measures, which are not
            tested together.
        drawn: `(resamples,)`, the difference of each resample.
    """

    value: float
    baseline_value: float
    low: float
    high: float
    higher_is_better: bool
    confirmed: bool | None = None
    drawn: np.ndarray = dataclasses.field(
        default_factory=lambda: np.zeros(0), repr=False, compare=False
    )

    @property
    def difference(self) -> float:
        """The value less that of the baseline."""
        return self.value - self.baseline_value

    @property
    def rounding(self) -> float:
        """What float32 leaves open of the two values."""
        return ROUNDING * max(1.0, abs(self.value), abs(self.baseline_value))

    @property
    def verdict(self) -> str:
        """`"better"`, `"worse"`, `"within noise"`, or `"unknown"`.

        Within noise is a difference whose own interval holds 0, or comes
        nearer to it than float32 tells; unknown is one without interval.
        """
        if not np.isfinite([self.low, self.high]).all():
            return "unknown"
        if self.low <= self.rounding and self.high >= -self.rounding:
            return "within noise"
        is_better = (self.low > 0) == self.higher_is_better
        return "better" if is_better else "worse"

    def to_dict(self) -> dict[str, Any]:
        """Plain data, without the drawn values."""
        found = {
            **dataclasses.asdict(self),
            "difference": self.difference,
            "verdict": self.verdict,
        }
        del found["drawn"]
        return found


def paired_difference(value: Value, baseline: Value) -> Difference:
    """The difference of a measure, resample by resample.

    Each resample draws the same examples for both models, so that what makes a
    draw easy or hard for both drops out. The interval is the middle 95 % of
    the drawn differences, moved so that their mean is the difference itself.
    """
    # Infinite for both, it is NaN.
    with np.errstate(invalid="ignore"):
        drawn = _drawn(value) - _drawn(baseline)
    return Difference(
        value.value,
        baseline.value,
        *moved_percentiles(value.value - baseline.value, drawn),
        value.higher_is_better,
        drawn=drawn,
    )


def score_difference(report: "Report", baseline: "Report") -> Difference:
    """The difference of reliability scores, from measures that both have.

    A measure that is NaN for one of the two is left out for both.
    """
    terms, drawn = [], []
    for result in report.results:
        other = baseline[result.name]
        for name in result.scored:
            pair = result.goodness(name), other.goodness(name)
            if np.isfinite(pair).all():
                terms.append(pair)
                drawn.append(
                    [_drawn_goodness(one, name) for one in (result, other)]
                )
    if not terms:
        return Difference(np.nan, np.nan, np.nan, np.nan, True)
    value, baseline_value = 100.0 * np.mean(terms, axis=0)
    # (measures, models, resamples) -> (models, resamples)
    mine, its = 100.0 * np.mean(drawn, axis=0)
    ends = moved_percentiles(value - baseline_value, mine - its)
    return Difference(
        float(value), float(baseline_value), *ends, True, drawn=mine - its
    )


def confirm_together(differences: Sequence[Difference]) -> list[Difference]:
    """The differences, each marked whether it holds together with the others.

    The chance that any of them is confirmed although there is no difference is
    5 %. One width, in standard errors, serves all: that which the largest of
    the differences keeps in 95 % of the resamples. Since measures that move
    together are drawn together, it is no wider than it must be. A difference
    that is the same in all resamples is that of every example; there are 20 or
    more, so that no chance explains it.

    Reference:
        Westfall and Young, 1993, "Resampling-based multiple testing".
    """
    deviations = [
        _standardized(one) for one in differences if one.verdict != "unknown"
    ]
    known = [np.abs(one) for one in deviations if one is not None]
    # `fmax` leaves out NaN.
    factor = np.nanquantile(np.fmax.reduce(known), LEVEL) if known else 0.0
    return [
        dataclasses.replace(
            one,
            confirmed=bool(
                one.verdict in ("better", "worse")
                and abs(one.difference) > factor * np.nanstd(one.drawn)
            ),
        )
        for one in differences
    ]


def _drawn(value: Value) -> np.ndarray:
    return np.asarray(value.drawn, float)


def _drawn_goodness(result: TaskResult, name: str) -> np.ndarray:
    kind = find_measure(name)
    return np.array(
        [
            kind.normalize(value, result.num_classes)
            for value in result.measures[name].drawn
        ]
    )


def _standardized(one: Difference) -> np.ndarray | None:
    """Draws in standard errors from their mean; `None` if all are alike."""
    spread = np.nanstd(one.drawn)
    if spread <= one.rounding:
        return None
    return (one.drawn - np.nanmean(one.drawn)) / spread
