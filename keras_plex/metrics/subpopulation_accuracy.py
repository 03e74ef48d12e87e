"""Accuracy of the groups that a mean over all examples hides."""

import math
import re
from collections.abc import Callable

import keras
import numpy as np
from keras import ops

from keras_plex.checks import is_positive_integer
from keras_plex.metrics.base import StreamingMetric
from keras_plex.metrics.base import ratio
from keras_plex.metrics.confidence_bins import top_label
from keras_plex.metrics.forecasts import check_same_batch
from keras_plex.metrics.forecasts import class_probabilities
from keras_plex.metrics.forecasts import example_weights
from keras_plex.metrics.forecasts import label_distribution
from keras_plex.metrics.forecasts import weigh
from keras_plex.types import Config
from keras_plex.types import Tensor


@keras.saving.register_keras_serializable("keras_plex")
class SubpopulationAccuracy(StreamingMetric):
    """A statistic, such as the worst, of the accuracy of each group.

    For data of several sources (hospitals, clients, cameras), where a model
    can be right on average and useless for some. Groups without examples, or
    without weight, do not count.

    Args:
        num_groups: positive int, the number of groups.
        statistic: of the groups' accuracies: `"worst"`, `"mean"`, `"median"`,
            `"variance"` (of the population), or a percentile, `"p25"` for the
            25th, interpolated linearly. Defaults to `"worst"`.
        from_logits: whether `y_pred` holds logits. Defaults to `False`.
        name: of the metric. Defaults to the statistic and
            `"_subpopulation_accuracy"`.
        dtype: of the sums, float32 or wider.

    Call arguments:
        y_true: labels as in `ForecastMetric`; without `groups` with one more
            column, `(batch, 2)` or `(batch, classes + 1)`, the group.
        y_pred: as in `ForecastMetric`.
        sample_weight: `(batch,)` or `(batch, 1)`.
        groups: `(batch,)` or `(batch, 1)`, 0 to `num_groups - 1`.

    The result is NaN where there are no examples, and after a label that is no
    class, a group that is none, and a NaN prediction.

    Example:

    >>> metric = SubpopulationAccuracy(num_groups=2)
    >>> predictions = [[0.9, 0.1], [0.9, 0.1], [0.2, 0.8]]
    >>> metric.update_state([0, 1, 1], predictions, groups=[0, 0, 1])
    >>> float(metric.result()), metric.group_accuracies().tolist()
    (0.5, [0.5, 1.0])

    In `compile` the group is the last column of the labels, which the loss
    leaves out:

    >>> def loss(y_true, y_pred):
    ...     return keras.losses.sparse_categorical_crossentropy(
    ...         y_true[:, 0], y_pred, from_logits=True
    ...     )
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    >>> metric = SubpopulationAccuracy(num_groups=2, from_logits=True)
    >>> model.compile("adam", loss, metrics=[metric])
    >>> x, labels, groups = np.ones((4, 4)), [0, 1, 2, 0], [0, 0, 1, 1]
    >>> y = np.stack([labels, groups], axis=-1)
    >>> history = model.fit(x, y, verbose=0).history
    >>> sorted(history)
    ['loss', 'worst_subpopulation_accuracy']

    Reference:
        Koh et al., 2021, "WILDS: a benchmark of in-the-wild distribution
        shifts".
    """

    def __init__(
        self,
        num_groups: int,
        statistic: str = "worst",
        *,
        from_logits: bool = False,
        name: str | None = None,
        dtype: str | None = None,
    ):
        if not is_positive_integer(num_groups):
            raise ValueError(
                "`num_groups` must be a positive integer. "
                f"Received: num_groups={num_groups!r}"
            )
        find_statistic(statistic)  # An unknown name is an error here.
        name = name or f"{statistic}_subpopulation_accuracy"
        # (num_groups, weight and right)
        super().__init__((num_groups, 2), name=name, dtype=dtype)
        self.num_groups = num_groups
        self.statistic = statistic
        self.from_logits = from_logits

    def update_state(
        self,
        y_true: Tensor,
        y_pred: Tensor,
        sample_weight: Tensor | None = None,
        groups: Tensor | None = None,
    ) -> None:
        forecast = class_probabilities(y_pred, self.from_logits, self.sum_dtype)
        y_true = ops.convert_to_tensor(y_true)
        if groups is None:
            y_true, groups = _split_groups(y_true)
        group = ops.convert_to_tensor(groups)
        check_same_batch("groups", group, forecast)
        group = ops.reshape(ops.cast(group, forecast.dtype), (-1,))
        is_group = (group >= 0) & (group < self.num_groups)
        is_group = is_group & (ops.floor(group) == group)
        labels = label_distribution(y_true, forecast)
        confidence, right = top_label(labels, forecast)
        # A forecast that is none has NaN confidence, but a largest index.
        is_valid = is_group & ~ops.isnan(confidence)
        right = ops.where(is_valid, right, math.nan)
        weights = example_weights(sample_weight, forecast)
        columns = ops.stack([ops.ones_like(right), right], axis=-1)
        index = ops.cast(ops.where(is_group, group, 0.0), "int32")
        self.accumulate(
            ops.segment_sum(
                weigh(columns, weights[:, None]),
                index,
                num_segments=self.num_groups,
            )
        )

    def group_accuracies(self) -> np.ndarray:
        """The accuracy of each group, `(num_groups,)`; NaN without examples."""
        weight, right = ops.unstack(self.totals(), axis=-1)
        return ops.convert_to_numpy(ratio(right, weight))

    def result(self) -> Tensor:
        weight, right = ops.unstack(self.totals(), axis=-1)
        is_there = weight != 0
        value = find_statistic(self.statistic)(ratio(right, weight), is_there)
        is_number = ops.any(is_there) & ops.all(~ops.isnan(right))
        return ops.where(is_number, value, math.nan)

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "num_groups": self.num_groups,
            "statistic": self.statistic,
            "from_logits": self.from_logits,
        }


def find_statistic(name: str) -> Callable[[Tensor, Tensor], Tensor]:
    """The function from values, and which of them count, to a number."""
    if name in STATISTICS:
        return STATISTICS[name]
    match = re.fullmatch(r"p(\d{1,2}(\.\d+)?|100)", str(name))
    if match is None:
        raise ValueError(
            f"Unknown statistic: {name!r}. Available: "
            f"{', '.join(map(repr, STATISTICS))}, and percentiles such as "
            "'p25'."
        )
    share = float(match[1]) / 100
    return lambda values, counts: _percentile(values, counts, share)


def _mean(values: Tensor, counts: Tensor) -> Tensor:
    number = ops.sum(ops.cast(counts, values.dtype))
    return ratio(ops.sum(ops.where(counts, values, 0.0)), number)


def _variance(values: Tensor, counts: Tensor) -> Tensor:
    return _mean(ops.square(values - _mean(values, counts)), counts)


def _percentile(values: Tensor, counts: Tensor, share: float) -> Tensor:
    # Those that do not count go to the end.
    ordered = ops.sort(ops.where(counts, values, math.inf))
    last = ops.sum(ops.cast(counts, "int32")) - 1
    position = share * ops.cast(ops.maximum(last, 0), values.dtype)
    below = ops.cast(ops.floor(position), "int32")
    above = ops.minimum(below + 1, ops.maximum(last, 0))
    low, high = ops.take(ordered, below), ops.take(ordered, above)
    return low + (position - ops.floor(position)) * (high - low)


# Name -> function from values, and which of them count, to a number.
STATISTICS = {
    "worst": lambda values, counts: _percentile(values, counts, 0.0),
    "mean": _mean,
    "median": lambda values, counts: _percentile(values, counts, 0.5),
    "variance": _variance,
}


def _split_groups(y_true: Tensor) -> tuple[Tensor, Tensor]:
    """Labels, and the last column, which holds the groups."""
    if len(y_true.shape) != 2 or y_true.shape[-1] == 1:
        raise ValueError(
            "Without `groups`, the last column of `y_true` must be the group: "
            "(batch, 2) or (batch, classes + 1). "
            f"Received: shape={tuple(y_true.shape)}"
        )
    return y_true[:, :-1], y_true[:, -1]
