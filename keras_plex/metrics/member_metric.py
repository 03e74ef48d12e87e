"""What the metrics of how members differ share."""

import math

from keras import ops

from keras_plex.conversion import forward_pass
from keras_plex.metrics.base import ForecastMetric
from keras_plex.metrics.forecasts import SUM_TOLERANCE
from keras_plex.metrics.forecasts import example_weights
from keras_plex.types import Tensor


class MemberMetric(ForecastMetric):
    """The mean of a value that the members' forecasts of an example give.

    A new metric is one method, `member_values(log_probabilities) -> (batch,)`.

    Args:
        from_logits: whether `y_pred` holds logits; else probabilities.
        shape: of the sums; by default a weighted sum and a weight.
        name: of the metric.
        dtype: of the sums.

    Call arguments:
        y_true: not read.
        y_pred: `(batch, ensemble, classes)`; with one unit `(batch, ensemble,
            1)`, the logit or the probability of class 1 of two. In `compile`
            of a `PlexModel`, `DeepEnsemble` or `MCDropout`, the forecast of
            the model, whose members the metric finds.
        sample_weight: `(batch,)` or `(batch, 1)`.

    The result is NaN where there are no examples, and where a member's
    prediction is NaN or no distribution.
    """

    def member_values(self, log_probabilities: Tensor) -> Tensor:
        """The value of each example: `(batch, ensemble, classes)`."""
        raise NotImplementedError

    def update_state(
        self,
        y_true: Tensor,
        y_pred: Tensor,
        sample_weight: Tensor | None = None,
    ) -> None:
        members = member_log_probabilities(
            find_members(y_pred), self.from_logits, self.sum_dtype
        )
        weights = example_weights(sample_weight, members)
        self.accumulate(self.batch_sums(y_true, members, weights))

    def values(self, labels: Tensor, forecast: Tensor) -> Tensor:
        return self.member_values(forecast)


def find_members(y_pred: Tensor) -> Tensor:
    """The members' predictions `(batch, ensemble, classes)`, or an error."""
    members = forward_pass.members_of(y_pred)
    if members is None:
        members = ops.convert_to_tensor(y_pred)
    if len(members.shape) != 3:
        raise ValueError(
            "Members are needed: `y_pred` must be (batch, ensemble, classes), "
            "as `predict_members` gives. In `compile`, the model must be a "
            "`PlexModel`, a `DeepEnsemble` or an `MCDropout`. "
            f"Received: shape={tuple(members.shape)}"
        )
    return members


def member_log_probabilities(
    members: Tensor, from_logits: bool, dtype: str
) -> Tensor:
    """Log probabilities `(batch, ensemble, classes)`; one unit becomes two.

    A member that gives no distribution becomes NaN.
    """
    members = ops.cast(members, dtype)
    is_binary = members.shape[-1] == 1
    if from_logits:
        if not is_binary:
            return ops.log_softmax(members)
        both = [ops.log_sigmoid(-members), ops.log_sigmoid(members)]
        return ops.concatenate(both, axis=-1)
    if is_binary:
        members = ops.concatenate([1.0 - members, members], axis=-1)
    total = ops.sum(members, axis=-1, keepdims=True)
    is_distribution = (ops.abs(total - 1.0) < SUM_TOLERANCE) & ops.all(
        members > -SUM_TOLERANCE, axis=-1, keepdims=True
    )
    is_zero = members <= 0
    logarithm = ops.log(ops.where(is_zero, 1.0, members))
    logarithm = ops.where(is_zero, -math.inf, logarithm)
    return ops.where(is_distribution, logarithm, math.nan)
