"""Distance of the features to the nearest class."""

from typing import Any

import numpy as np
from keras import ops

from keras_plex.checks import is_number
from keras_plex.scores.feature_score import FeatureScore
from keras_plex.scores.fields import Fields
from keras_plex.scores.labels import class_indices
from keras_plex.scores.moments import Moments
from keras_plex.scores.moments import typical_variance
from keras_plex.scores.moments import whitening
from keras_plex.types import Config
from keras_plex.types import Tensor

# Relative to the mean variance; chosen in docs/ood_scores.md.
RIDGE = 1e-3


class Mahalanobis(FeatureScore):
    """Squared Mahalanobis distance of the features to the nearest class.

    Each class is a Gaussian around its mean, all with one covariance:

        covariance = sum((x - mean_of_its_class) (x - mean_of_its_class)^T) / n
        d_c = (x - mean_c)^T (covariance + ridge * v * I)^-1 (x - mean_c)
        score = min over classes c of the mean over members of d_c

    where `v` is the mean variance, the mean of the covariance's diagonal. Each
    member has Gaussians of its own. A class without examples is left out.

    Args:
        ridge: number above 0, which keeps collinear and constant features, and
            more features than examples, from dividing by zero; 0 is the
            paper's formula. Defaults to `1e-3`.

    Call arguments:
        predictions: `Predictions` with `features`; or features `(batch,
            ensemble, dim)` or `(batch, dim)`.

    Example:

    >>> score = Mahalanobis(ridge=0.0)
    >>> x = np.array([[-2.0, 0], [0, 0], [-1, 1], [-1, -1]])
    >>> score.update(np.concatenate([x, x + [2, 0]]), [0] * 4 + [1] * 4)
    >>> score.finish()  # covariance I / 2
    >>> score(np.array([[-1.0, 0.0], [1.0, 0.0], [10.0, 0.0]])).round()
    array([  0.,   0., 162.], dtype=float32)

    Reference:
        Lee et al., 2018, "A simple unified framework for detecting
        out-of-distribution samples and adversarial attacks".
    """

    name = "mahalanobis"

    def __init__(self, ridge: float = RIDGE):
        super().__init__()
        if not is_number(ridge) or not 0.0 <= ridge < np.inf:
            raise ValueError(
                "`ridge` must be a finite number, 0 or more. "
                f"Received: ridge={ridge!r}"
            )
        self.ridge = float(ridge)
        self._moments: Moments | None = None

    def observe(
        self, features: np.ndarray, predictions: Fields, labels: Any
    ) -> None:
        if self._moments is None:
            self._moments = Moments(*features.shape[1:])
        self._moments.update(features, class_indices(labels, len(features)))

    def solve(self) -> dict[str, Any]:
        moments = self._moments
        # Rounded first: the means are measured from what `compute` subtracts.
        center = moments.mean.astype("float32")
        within, total = moments.within, moments.total
        found = {"center": center, "whitening": [], "means": []}
        for member in range(len(center)):
            matrix = self._whitening(within[member], total[member])
            apart = moments.class_means[member] - center[member]
            found["whitening"].append(matrix)
            found["means"].append(apart @ matrix)
        return found

    def compute(
        self,
        parameters: dict[str, Tensor],
        features: Tensor,
        predictions: Fields,
    ) -> Tensor:
        whitened = whiten(features, parameters, "whitening")
        pairs = [(x, parameters["means"][e]) for e, x in enumerate(whitened)]
        # Chosen by the fast form, which may cancel; computed by the exact one.
        distances = sum(squared_distances(x, means) for x, means in pairs)
        nearest = ops.argmin(distances, axis=-1)
        exact = [squared_distance_to(x, means, nearest) for x, means in pairs]
        return sum(exact) / len(exact)

    def forget(self) -> None:
        super().forget()
        self._moments = None

    def get_config(self) -> Config:
        return {"ridge": self.ridge}

    def _whitening(
        self, covariance: np.ndarray, total: np.ndarray
    ) -> np.ndarray:
        scale = typical_variance(covariance, total)
        # Without a ridge, only rounding stands between a rank and the inverse.
        ridge = max(self.ridge, np.finfo("float64").eps * len(covariance))
        return whitening(covariance, ridge, scale)


def whiten(
    features: Tensor, parameters: dict[str, Tensor], name: str
) -> list[Tensor]:
    """`(batch, dim)` for each member of `(batch, ensemble, dim)`."""
    matrices = parameters[name]
    return [
        ops.matmul(
            features[:, member] - parameters["center"][member], matrices[member]
        )
        for member in range(features.shape[1])
    ]


def squared_distances(x: Tensor, means: Tensor) -> Tensor:
    """`(batch, classes)`, fast, but without small differences of large."""
    products = ops.matmul(x, ops.transpose(means))
    return ops.sum(ops.square(means), axis=-1) - 2.0 * products


def squared_distance_to(x: Tensor, means: Tensor, index: Tensor) -> Tensor:
    """`(batch,)`, to the mean of each row's own index."""
    apart = x - ops.take(means, index, axis=0)
    return ops.sum(ops.square(apart), axis=-1)
