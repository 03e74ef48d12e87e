"""One distribution of the next token from the members' rows."""

from typing import Any

from keras import ops

from keras_plex.models.returns import forecast
from keras_plex.ops.ensemble_axis import split_members
from keras_plex.types import Tensor

MemberOutputs = Any  # a converted language model

TINY = 1e-37  # above the smallest normal float32, which some kernels flush


def next_token_logits(model: MemberOutputs, rows: Tensor) -> Tensor:
    """Logits of the mean of the members' distributions, for a sampler.

    `forecast` gives the same, exactly for words of any probability, at more
    than twice the time: a word for which every member underflows has the
    logit of `TINY` here. No sampler takes it.

    Args:
        model: a converted language model.
        rows: members' logits, `(ensemble * batch, ..., words)`.

    Returns:
        Logits `(batch, ..., words)` in the dtype of `rows`.
    """
    if model.calibrator is not None or not all(model.member_outputs):
        return forecast(model, rows)
    members = split_members(ops.cast(rows, "float32"), model.ensemble_size)
    probabilities = ops.mean(ops.softmax(members, axis=-1), axis=0)
    return ops.cast(ops.log(ops.maximum(probabilities, TINY)), rows.dtype)
