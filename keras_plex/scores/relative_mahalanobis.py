"""Distance to the nearest class, less that to the data as a whole."""

from typing import Any

from keras import ops

from keras_plex.scores.fields import Fields
from keras_plex.scores.mahalanobis import Mahalanobis
from keras_plex.scores.mahalanobis import squared_distance_to
from keras_plex.scores.mahalanobis import squared_distances
from keras_plex.scores.mahalanobis import whiten
from keras_plex.types import Tensor


class RelativeMahalanobis(Mahalanobis):
    """Mahalanobis distance to the nearest class, relative to the background.

    The background is one Gaussian around the mean of all training features,
    with their covariance. Its distance takes away the directions in which
    features vary anyway:

        score = mean over members of (min over classes c of d_c - d_background)

    `d_c` is that of `Mahalanobis`; the background has the same relative ridge.
    The best published score of a ViT-B/16 on ImageNet.

    Args:
        ridge: number above 0, relative to the mean variance of each
            covariance; 0 is the paper's formula. Defaults to `1e-3`.

    Call arguments:
        predictions: `Predictions` with `features`; or features `(batch,
            ensemble, dim)` or `(batch, dim)`.

    Example:

    >>> score = RelativeMahalanobis(ridge=0.0)
    >>> x = np.array([[-2.0, 0], [0, 0], [-1, 1], [-1, -1]])
    >>> score.update(np.concatenate([x, x + [2, 0]]), [0] * 4 + [1] * 4)
    >>> score.finish()  # covariance I / 2, of all diag(1.5, 0.5)
    >>> score(np.array([[-1.0, 0.0], [0.0, 3.0]])).round(3)
    array([-0.667,  2.   ], dtype=float32)

    Reference:
        Ren et al., 2021, "A simple fix to Mahalanobis distance for improving
        near-OOD detection".
    """

    name = "relative_mahalanobis"

    def solve(self) -> dict[str, Any]:
        background = [self._whitening(c, c) for c in self._moments.total]
        return {**super().solve(), "background": background}

    def compute(
        self,
        parameters: dict[str, Tensor],
        features: Tensor,
        predictions: Fields,
    ) -> Tensor:
        gaps = []
        around = whiten(features, parameters, "background")
        for member, x in enumerate(whiten(features, parameters, "whitening")):
            means = parameters["means"][member]
            nearest = ops.argmin(squared_distances(x, means), axis=-1)
            background = ops.sum(ops.square(around[member]), axis=-1)
            gaps.append(squared_distance_to(x, means, nearest) - background)
        return sum(gaps) / len(gaps)
