"""How sure members are of each token of a text that is already written."""

import math
import weakref
from typing import Any

import keras
from keras import ops

from keras_plex.conversion import forward_pass
from keras_plex.models.generation.prompts import token_names
from keras_plex.ops.ensemble_axis import split_members
from keras_plex.types import Tensor


def measure_tokens(
    log_probabilities: Tensor, token_ids: Tensor
) -> dict[str, Tensor]:
    """Measures of each token's distribution, given the tokens before it.

    The one at position `t` predicts token `t + 1`: measures move one place to
    the right, and the first token, which nothing predicts, gets 0.

    Args:
        log_probabilities: `(ensemble, batch, length, vocabulary)` float.
        token_ids: `(batch, length)` int.

    Returns:
        `entropy` (of the mean distribution, nats), `mutual_information` and
        `log_probability` of the tokens, `(batch, length)`.
    """
    members = log_probabilities[:, :, :-1]
    mixture = ops.logsumexp(members, axis=0) - math.log(members.shape[0])
    total = _entropy(mixture)
    expected = ops.mean(_entropy(members), axis=0)
    following = ops.expand_dims(ops.cast(token_ids[:, 1:], "int32"), -1)
    chosen = ops.take_along_axis(mixture, following, axis=-1)
    measures = {
        "entropy": total,
        "mutual_information": ops.maximum(total - expected, 0.0),
        "log_probability": ops.squeeze(chosen, axis=-1),
    }
    return {name: ops.pad(x, ((0, 0), (1, 0))) for name, x in measures.items()}


class TokenMeasures(keras.Model):
    """Measures the tokens of a model's inputs in one compiled pass.

    It does not keep the model alive. Its variables are those of the model:
    JAX asks for them at each call.

    Args:
        model: a converted language model.
    """

    def __init__(self, model: keras.Model):
        super().__init__(name="token_measures")
        self.reference = weakref.ref(model)
        self.compile(
            jit_compile=model.jit_compile, run_eagerly=model.run_eagerly
        )

    def build(self, input_shape=None) -> None:
        """Nothing: the model is built."""

    def call(self, inputs, training=None):
        model = self.measured_model
        with forward_pass.returning(forward_pass.MEMBERS):
            rows = model(inputs, training=False)
        members = split_members(rows, model.ensemble_size)
        log_probabilities = ops.log_softmax(ops.cast(members, "float32"))
        tokens, _ = token_names(inputs)
        return measure_tokens(log_probabilities, inputs[tokens])

    @property
    def measured_model(self) -> Any:
        """The model whose tokens it measures."""
        return self.reference()

    @property
    def variables(self) -> list:
        return self.measured_model.variables

    @property
    def trainable_variables(self) -> list:
        return self.measured_model.trainable_variables

    @property
    def non_trainable_variables(self) -> list:
        return self.measured_model.non_trainable_variables


def _entropy(log_probabilities: Tensor) -> Tensor:
    # exp(-inf) * -inf would be NaN: a word that is ruled out adds nothing.
    finite = ops.maximum(log_probabilities, -1e30)
    return -ops.sum(ops.exp(log_probabilities) * finite, axis=-1)
