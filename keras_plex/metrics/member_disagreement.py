"""How often members name different classes."""

import math

import keras
from keras import ops

from keras_plex.metrics.base import ratio
from keras_plex.metrics.forecasts import label_distribution
from keras_plex.metrics.forecasts import weigh
from keras_plex.metrics.member_metric import MemberMetric
from keras_plex.types import Config
from keras_plex.types import Tensor

# Of the error in the divisor: what the code of the Plex paper adds.
EPSILON = 1e-7


@keras.saving.register_keras_serializable("keras_plex")
class MemberDisagreement(MemberMetric):
    """Share of ordered pairs of members that name different classes.

    How diverse an ensemble is: 0 for members that always agree. Members can
    disagree only where some are wrong, so that better ones disagree less; with
    `normalize=True` the share is divided by the error rate of the forecast.
    One member gives 0.

    Args:
        from_logits: whether `y_pred` holds logits. Defaults to `False`.
        normalize: whether to divide by the error rate of the forecast, plus
            1e-7. Only then are the labels read. Defaults to `False`.
        name: of the metric.
        dtype: of the sums, float32 or wider.

    Call arguments: as in `MemberMetric`; with `normalize=True` labels as in
    `ForecastMetric`.

    Example:

    >>> metric = MemberDisagreement()
    >>> metric.update_state([0], [[[0.9, 0.1], [0.6, 0.4], [0.2, 0.8]]])
    >>> round(float(metric.result()), 6)  # 4 of 6 ordered pairs
    0.666667

    In `compile` of a model with members:

    >>> layers = [keras.layers.Dense(8, "relu"), keras.layers.Dense(3)]
    >>> stock = keras.Sequential([keras.Input((4,)), *layers])
    >>> model = keras_plex.plexify(stock, last_blocks=1, seed=0)
    >>> loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    >>> metric = MemberDisagreement(from_logits=True)
    >>> model.compile("adam", loss, metrics=[metric])
    >>> x, y = np.ones((5, 4), "float32"), np.zeros(5)
    >>> values = model.evaluate(x, y, verbose=0, return_dict=True)
    >>> sorted(values)
    ['loss', 'member_disagreement']

    Reference:
        Fort, Hu and Lakshminarayanan, 2019, "Deep ensembles: a loss landscape
        perspective".
    """

    def __init__(
        self,
        from_logits: bool = False,
        *,
        normalize: bool = False,
        name: str = "member_disagreement",
        dtype: str | None = None,
    ):
        super().__init__(from_logits, shape=(3,), name=name, dtype=dtype)
        self.normalize = normalize

    def member_values(self, log_probabilities: Tensor) -> Tensor:
        _, size, classes = log_probabilities.shape
        votes = ops.sum(_votes(log_probabilities, classes), axis=1)
        equal_pairs = ops.sum(votes * (votes - 1.0), axis=-1)
        share = 1.0 - equal_pairs / max(size * (size - 1), 1)
        share = share if size > 1 else ops.zeros_like(share)
        # The index of the largest hides a NaN: let it show.
        is_nan = ops.any(ops.isnan(log_probabilities), axis=(1, 2))
        return ops.where(is_nan, math.nan, share)

    def batch_sums(
        self, labels: Tensor, forecast: Tensor, weights: Tensor
    ) -> Tensor:
        disagreement, weight = ops.unstack(
            super().batch_sums(labels, forecast, weights)
        )
        error = ops.zeros_like(weight)
        if self.normalize:
            mean = ops.mean(ops.exp(forecast), axis=1)
            right = label_distribution(labels, mean) * _votes(
                mean, mean.shape[-1]
            )
            error = ops.sum(weigh(1.0 - ops.sum(right, axis=-1), weights))
        return ops.stack([disagreement, weight, error])

    def result(self) -> Tensor:
        disagreement, weight, error = ops.unstack(self.totals())
        share = ratio(disagreement, weight)
        if self.normalize:
            share = share / (ratio(error, weight) + EPSILON)
        return share

    def get_config(self) -> Config:
        return {**super().get_config(), "normalize": self.normalize}


def _votes(scores: Tensor, classes: int) -> Tensor:
    return ops.one_hot(ops.argmax(scores, axis=-1), classes, dtype=scores.dtype)
