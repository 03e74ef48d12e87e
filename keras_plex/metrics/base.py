"""What every metric shares: sums that stay exact, and how they merge."""

import math
from collections.abc import Iterable

import keras
from keras import ops

from keras_plex.metrics.forecasts import class_probabilities
from keras_plex.metrics.forecasts import example_weights
from keras_plex.metrics.forecasts import label_distribution
from keras_plex.metrics.forecasts import weigh
from keras_plex.types import Config
from keras_plex.types import Tensor


class StreamingMetric(keras.metrics.Metric):
    """A metric whose whole state is one array of sums over examples.

    Sums are compensated (Knuth's two-sum): beside the float32 total stands
    the rounding error made so far. A million batches lose no more than one,
    and a count goes on beyond 2^24, where float32 alone stops counting.

    A subclass calls `accumulate` in `update_state` and reads `totals` in
    `result`. Nothing else is needed for it to stream, merge and reset.

    Args:
        shape: of the array of sums; `None` if the first batch decides, as
            where it depends on the number of classes.
        name: of the metric.
        dtype: of the sums; half precision is widened to float32.

    Reference:
        Knuth, 1969, "The art of computer programming", volume 2, 4.2.2.
    """

    def __init__(
        self,
        shape: tuple[int, ...] | None,
        *,
        name: str | None = None,
        dtype: str | None = None,
    ):
        super().__init__(name=name, dtype=dtype)
        self.sum_dtype = keras.backend.result_type(self.dtype, "float32")
        self.sums: Tensor = None
        self.compensation: Tensor = None
        if shape is not None:
            self.build(shape)

    def build(self, shape: tuple[int, ...]) -> None:
        """Makes the state."""
        self.sums, self.compensation = [
            self.add_variable(shape, "zeros", dtype=self.sum_dtype, name=part)
            for part in ("sums", "compensation")
        ]

    def accumulate(self, batch_sums: Tensor) -> None:
        """Adds an array of the shape of the state."""
        shape = tuple(batch_sums.shape)
        if self.sums is None:
            self.build(shape)
        if shape != tuple(self.sums.shape):
            raise ValueError(
                "All predictions must have as many classes as the first ones. "
                f"Make a new {type(self).__name__} for others. "
                f"Received: sums {shape} after {tuple(self.sums.shape)}"
            )
        old = ops.convert_to_tensor(self.sums)
        new = old + batch_sums
        added = new - old
        error = (old - (new - added)) + (batch_sums - added)
        # The error of an infinite sum is NaN: leave the sum infinite.
        error = ops.where(ops.isfinite(new), error, 0.0)
        self.compensation.assign(self.compensation + error)
        self.sums.assign(new)

    @property
    def has_state(self) -> bool:
        """Whether the sums exist: always, or from the first batch on."""
        return self.sums is not None

    def totals(self) -> Tensor:
        """The array of sums over all examples since the last reset."""
        return self.sums + self.compensation

    def merge_state(self, metrics: Iterable["StreamingMetric"]) -> None:
        """Adds what other metrics of the same class and config have seen."""
        for metric in metrics:
            if type(metric) is not type(self) or _settings(metric) != _settings(
                self
            ):
                raise ValueError(
                    f"Only metrics of one kind merge. {_describe(self)} "
                    f"cannot take in {_describe(metric)}."
                )
            if not metric.has_state:
                continue
            self.accumulate(ops.convert_to_tensor(metric.sums))
            self.accumulate(ops.convert_to_tensor(metric.compensation))


class ForecastMetric(StreamingMetric):
    """The mean of a value that each example's label and forecast give.

    A new metric is one method, `values(labels, forecast) -> (batch,)`. One
    that is not a mean gives a `shape` and overrides `batch_sums` and `result`.

    Args:
        from_logits: whether `y_pred` holds logits; else probabilities.
        shape: of the sums; by default a weighted sum and a weight; `None` if
            the first batch decides.
        name: of the metric.
        dtype: of the sums.

    Call arguments:
        y_true: class indices `(batch,)` or `(batch, 1)`; with two classes,
            the probability of class 1, 0 and 1 included. Or one-hot or soft
            labels `(batch, classes)`. The rank decides, never the values.
        y_pred: `(batch, classes)`; with an ensemble `(batch, ensemble,
            classes)`, whose probabilities are averaged; or one unit for two
            classes, `(batch,)` or `(batch, 1)`, the logit or the probability
            of class 1.
        sample_weight: `(batch,)` or `(batch, 1)`. An example of weight 0
            counts for nothing, whatever its label.

    The result is NaN, never a wrong number, where there are no examples, a
    label is no class or no distribution, or a prediction holds NaN or, for
    `from_logits=False`, is not a distribution (as logits are not).
    """

    def __init__(
        self,
        from_logits: bool = False,
        *,
        shape: tuple[int, ...] | None = (2,),
        name: str | None = None,
        dtype: str | None = None,
    ):
        super().__init__(shape, name=name, dtype=dtype)
        self.from_logits = from_logits

    def forecast(self, y_pred: Tensor) -> Tensor:
        """What `values` takes: `(batch, classes)`, here probabilities."""
        return class_probabilities(y_pred, self.from_logits, self.sum_dtype)

    def values(self, labels: Tensor, forecast: Tensor) -> Tensor:
        """The value of each example: two `(batch, classes)` to `(batch,)`."""
        raise NotImplementedError

    def batch_sums(
        self, labels: Tensor, forecast: Tensor, weights: Tensor
    ) -> Tensor:
        """What a batch adds to the state."""
        values = weigh(self.values(labels, forecast), weights)
        return ops.stack([ops.sum(values), ops.sum(weights)])

    def update_state(
        self,
        y_true: Tensor,
        y_pred: Tensor,
        sample_weight: Tensor | None = None,
    ) -> None:
        forecast = self.forecast(y_pred)
        labels = label_distribution(y_true, forecast)
        weights = example_weights(sample_weight, forecast)
        self.accumulate(self.batch_sums(labels, forecast, weights))

    def result(self) -> Tensor:
        total, weight = ops.unstack(self.totals())
        return ratio(total, weight)

    def get_config(self) -> Config:
        return {**super().get_config(), "from_logits": self.from_logits}


def ratio(numerator: Tensor, denominator: Tensor) -> Tensor:
    """`numerator / denominator`, NaN where the denominator is 0."""
    is_zero = denominator == 0
    quotient = numerator / ops.where(is_zero, 1.0, denominator)
    return ops.where(is_zero, math.nan, quotient)


def _settings(metric: StreamingMetric) -> Config:
    config = metric.get_config()
    return {key: config[key] for key in config.keys() - {"name", "dtype"}}


def _describe(metric: StreamingMetric) -> str:
    return f"{type(metric).__name__}({_settings(metric)})"
