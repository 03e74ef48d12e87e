"""How far the members' forecasts lie apart."""

import math

import keras
from keras import ops

from keras_plex.metrics.member_metric import MemberMetric
from keras_plex.types import Tensor


@keras.saving.register_keras_serializable("keras_plex")
class MemberKLDivergence(MemberMetric):
    """Mean Kullback-Leibler divergence between members, in nats.

    How diverse an ensemble is: 0 for equal members, which add nothing to one
    model. Unlike `MemberDisagreement` it also sees members that name the same
    class and are not equally sure.

    `mean over examples and ordered pairs of members i, j of sum_k p_ik
    ln(p_ik / p_jk)`

    It is infinite where a member gives probability 0 to what another deems
    possible; with `from_logits=True` that does not happen. One member gives 0.

    Args:
        from_logits: whether `y_pred` holds logits. Defaults to `False`.
        name: of the metric.
        dtype: of the sums, float32 or wider.

    Call arguments: as in `MemberMetric`.

    Example:

    >>> metric = MemberKLDivergence()
    >>> metric.update_state([0], [[[0.5, 0.5], [0.75, 0.25]]])
    >>> round(float(metric.result()), 6)  # ln(3) / 8
    0.137327

    Reference:
        Fort, Hu and Lakshminarayanan, 2019, "Deep ensembles: a loss landscape
        perspective".
    """

    def __init__(
        self,
        from_logits: bool = False,
        *,
        name: str = "member_kl_divergence",
        dtype: str | None = None,
    ):
        super().__init__(from_logits, name=name, dtype=dtype)

    def member_values(self, log_probabilities: Tensor) -> Tensor:
        size = log_probabilities.shape[1]
        probabilities = ops.exp(log_probabilities)
        is_zero = log_probabilities == -math.inf
        logarithm = ops.where(is_zero, 0.0, log_probabilities)
        # The mean over pairs is a covariance of p and ln p over the members,
        # which does not cancel where they are nearly equal.
        spread = probabilities - ops.mean(probabilities, axis=1, keepdims=True)
        distance = logarithm - ops.mean(logarithm, axis=1, keepdims=True)
        terms = spread * distance / max(size - 1, 1)
        # (batch, ensemble, classes) -> (batch,)
        total = ops.sum(terms, axis=(1, 2))
        is_split = ops.any(is_zero, axis=1) & ~ops.all(is_zero, axis=1)
        infinite = ops.where(ops.isnan(total), math.nan, math.inf)
        return ops.where(ops.any(is_split, axis=-1), infinite, total)
