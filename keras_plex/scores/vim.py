"""How far features lie off the space of the training features."""

from typing import Any

import keras
import numpy as np
from keras import ops

from keras_plex.checks import is_integer
from keras_plex.layers.laplace_dense import LaplaceDense
from keras_plex.models.classifiers import output_layer
from keras_plex.scores.feature_score import FeatureScore
from keras_plex.scores.fields import Fields
from keras_plex.scores.fields import class_logits
from keras_plex.scores.moments import Moments
from keras_plex.types import Config
from keras_plex.types import Tensor

# A residual below this share of the features' length counts as that share.
SMALLEST_RESIDUAL = 1e-3


class ViM(FeatureScore):
    """Virtual-logit matching: the residual of the features against the logits.

    The largest principal components of the training features around an origin
    span their space; what an input has outside of it is its residual. Scaled
    to the size of the logits, it is one more logit, of a class "unknown":

        score = mean over members of alpha * norm(residual) - logsumexp(logits)
        alpha = mean(max(logits)) / sqrt(mean(norm(residual)^2))

    over the training data. The paper divides by the mean norm; the root of the
    mean square, which is at least that, follows from second moments, so that
    one pass over the data is enough. The origin is the point where the logits
    of a `Dense` output layer come closest to zero; for other heads, and where
    `update` is called without `fit`, the mean of the features. Needs a model
    whose outputs are logits. Labels are not used.

    Args:
        num_components: int, the dimension of the features' space, below the
            number of features. Defaults to the paper's: 1,000 from 2,048
            features on, 512 from 768 on, else half of the features.

    Call arguments:
        predictions: `Predictions` with `features` and `member_logits`.

    Example:

    >>> from keras_plex.predictions import Predictions
    >>> x = np.array([[3.0, 0.1], [-3.0, 0.1], [3.0, -0.1], [-3.0, -0.1]])
    >>> def predict(x):
    ...     features = x[:, None]
    ...     logits = features * [1.0, 0.0] @ [[1.0, -1.0], [0.0, 0.0]]
    ...     return Predictions.from_outputs(
    ...         logits, "softmax_logits", features=features
    ...     )
    >>> score = ViM()
    >>> score.update(predict(x))
    >>> score.finish()
    >>> score(predict(np.array([[3.0, 0.1], [3.0, 1.0]]))).round(2).tolist()
    [-0.0, 27.0]

    Reference:
        Wang et al., 2022, "ViM: Out-of-distribution with virtual-logit
        matching".
    """

    name = "vim"

    def __init__(self, num_components: int | None = None):
        super().__init__()
        is_given = num_components is not None
        if is_given and (not is_integer(num_components) or num_components < 0):
            raise ValueError(
                "`num_components` must be `None` or an integer, 0 or more. "
                f"Received: num_components={num_components!r}"
            )
        self.num_components = num_components
        self._head_origin: np.ndarray | None = None
        self._moments: Moments | None = None
        self._sum_of_largest = 0.0

    def use_model(self, model: keras.Model) -> None:
        head = output_layer(model)
        self._head_origin = None
        if head and type(head.layer) in (keras.layers.Dense, LaplaceDense):
            self._head_origin = head_origin(head.layer)

    def observe(
        self, features: np.ndarray, predictions: Fields, labels: Any
    ) -> None:
        logits = _logits_of(predictions)
        if self._moments is None:
            self._moments = Moments(*features.shape[1:])
        # All as one class: its scatter is that around the mean.
        self._moments.update(features, np.zeros(len(features), "int64"))
        largest = ops.convert_to_numpy(ops.max(logits, axis=-1))
        # (batch, ensemble) -> (ensemble,)
        self._sum_of_largest += largest.astype("float64").sum(axis=0)

    def solve(self) -> dict[str, Any]:
        moments = self._moments
        mean, within = moments.mean, moments.within
        components = self._components(mean.shape[-1])
        largest = self._sum_of_largest / moments.counts.sum()
        if (largest < 0).any():
            raise ValueError(
                'Score "vim" needs logits whose largest is positive in the '
                "mean, as it scales the residual to it. Use another score. "
                f"Received: means of the largest logit={largest.tolist()}"
            )
        found = {"origin": [], "residual": [], "alpha": []}
        for member, center in enumerate(mean):
            origin = center if self._head_origin is None else self._head_origin
            origin = origin.astype("float32")
            apart = center - origin
            second_moment = within[member] + np.outer(apart, apart)
            variances, directions = np.linalg.eigh(second_moment)
            # In rising order: the last span the features' space.
            rest = len(variances) - components
            residual = np.sqrt(max(variances[:rest].sum(), 0.0))
            length = np.sqrt(max(variances.sum(), 0.0))
            smallest = max(SMALLEST_RESIDUAL * length, np.finfo("float32").tiny)
            found["origin"].append(origin)
            found["residual"].append(directions[:, :rest])
            found["alpha"].append(largest[member] / max(residual, smallest))
        return found

    def compute(
        self,
        parameters: dict[str, Tensor],
        features: Tensor,
        predictions: Fields,
    ) -> Tensor:
        logits = ops.cast(_logits_of(predictions), "float32")
        values = []
        for member in range(features.shape[1]):
            apart = features[:, member] - parameters["origin"][member]
            residual = ops.matmul(apart, parameters["residual"][member])
            length = ops.sqrt(ops.sum(ops.square(residual), axis=-1))
            virtual = parameters["alpha"][member] * length
            values.append(virtual - ops.logsumexp(logits[:, member], axis=-1))
        return sum(values) / len(values)

    def forget(self) -> None:
        super().forget()
        self._moments, self._sum_of_largest = None, 0.0

    def get_config(self) -> Config:
        return {"num_components": self.num_components}

    def _components(self, dim: int) -> int:
        if self.num_components is None:
            return 1000 if dim >= 2048 else 512 if dim >= 768 else dim // 2
        if self.num_components >= dim:
            raise ValueError(
                "`num_components` must be below the number of features, "
                f"{dim}. Received: num_components={self.num_components}"
            )
        return self.num_components


def head_origin(layer: keras.layers.Dense) -> np.ndarray:
    """`-pinv(kernel.T) @ bias`, where the logits come closest to zero."""
    kernel = ops.convert_to_numpy(layer.kernel).astype("float64")
    if not layer.use_bias:
        return np.zeros(len(kernel))
    bias = ops.convert_to_numpy(layer.bias).astype("float64")
    return -np.linalg.pinv(kernel.T) @ bias


def _logits_of(predictions: Fields) -> Tensor:
    if not hasattr(predictions, "member_logits"):
        raise ValueError(
            'Score "vim" needs `Predictions` with `member_logits` and '
            "`features`, not features alone: pass "
            "`model.predict_uncertainty(x, features=True)`."
        )
    return class_logits(predictions, "vim")
