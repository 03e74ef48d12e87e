"""Distance of the features to their neighbours in the training data."""

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np
from keras import ops

from keras_plex.checks import is_integer
from keras_plex.checks import is_positive_integer
from keras_plex.scores.feature_score import FeatureScore
from keras_plex.scores.fields import Fields
from keras_plex.scores.reservoir import Reservoir
from keras_plex.types import Config
from keras_plex.types import Tensor


class NearestNeighbors(FeatureScore):
    """Distance to the k-th nearest training example, of normalised features.

    Features are scaled to length 1. Each member has its own bank of training
    features; the score is the mean of the members' distances. Labels are not
    used. Arrays are searched by faiss, if it is installed, else by
    scikit-learn; inside a graph every distance is computed.

    The bank takes `4 * max_examples * ensemble_size * dim` bytes, 154 MB for
    50,000 examples and 768 features, in memory and in an exported model.

    Args:
        k: positive int, at most the size of the bank. Defaults to `50`.
        max_examples: positive int, the size of the bank; from more data it
            draws a uniform sample without replacement. Defaults to `50_000`.
        seed: int, of that sample. Defaults to `0`.

    Call arguments:
        predictions: `Predictions` with `features`; or features `(batch,
            ensemble, dim)` or `(batch, dim)`.

    Example:

    >>> score = NearestNeighbors(k=1)
    >>> score.update(np.array([[3.0, 0.0], [0.0, 5.0]]))
    >>> score.finish()
    >>> score(np.array([[1.0, 0.0], [-2.0, 0.0]])).round(3)
    array([0.   , 1.414], dtype=float32)

    Reference:
        Sun et al., 2022, "Out-of-distribution detection with deep nearest
        neighbors".
    """

    name = "knn"

    def __init__(
        self, k: int = 50, *, max_examples: int = 50_000, seed: int = 0
    ):
        super().__init__()
        for name, value in {"k": k, "max_examples": max_examples}.items():
            if not is_positive_integer(value):
                raise ValueError(
                    f"`{name}` must be a positive integer. "
                    f"Received: {name}={value!r}"
                )
        if not is_integer(seed) or seed < 0:
            raise ValueError(
                f"`seed` must be an integer, 0 or more. Received: seed={seed!r}"
            )
        self.k = k
        self.max_examples = max_examples
        self.seed = seed
        self._bank: Reservoir | None = None
        # One for each member, made from the parameters when first needed.
        self._indexes: list[Search] = []

    def observe(
        self, features: np.ndarray, predictions: Fields, labels: Any
    ) -> None:
        if self._bank is None:
            self._bank = Reservoir(self.max_examples, self.seed)
        lengths = np.linalg.norm(features, axis=-1, keepdims=True)
        rows = features / np.maximum(lengths, SHORTEST)
        self._bank.update(rows.astype("float32"))

    def solve(self) -> dict[str, Any]:
        self._indexes = []
        # (examples, ensemble, dim) -> (ensemble, examples, dim)
        return {"bank": np.ascontiguousarray(self._bank.rows.swapaxes(0, 1))}

    def compute(
        self,
        parameters: dict[str, Tensor],
        features: Tensor,
        predictions: Fields,
    ) -> Tensor:
        distances = []
        for member in range(features.shape[1]):
            bank = parameters["bank"][member]
            x = ops.normalize(features[:, member], epsilon=SHORTEST)
            similarity = ops.matmul(x, ops.transpose(bank))
            _, nearest = ops.top_k(similarity, k=min(self.k, bank.shape[0]))
            # Exact, where the similarity of close neighbours rounds to 1.
            apart = x - ops.take(bank, nearest[:, -1], axis=0)
            distances.append(ops.sqrt(ops.sum(ops.square(apart), axis=-1)))
        return sum(distances) / len(distances)

    def compute_arrays(
        self, features: np.ndarray, predictions: Fields
    ) -> np.ndarray:
        bank = self.parameters["bank"]
        if not self._indexes:
            self._indexes = [make_search(rows) for rows in bank]
        k = min(self.k, bank.shape[1])
        distances = np.zeros(len(features), "float32")
        for member, search in enumerate(self._indexes):
            x = features[:, member].astype("float32")
            x /= np.maximum(np.linalg.norm(x, axis=-1, keepdims=True), SHORTEST)
            # A row that is not a number has no neighbours.
            is_finite = np.isfinite(x).all(axis=-1)
            apart = np.full_like(x, np.nan)
            if is_finite.any():
                nearest = search(x[is_finite], k)
                apart[is_finite] = x[is_finite] - bank[member, nearest]
            distances += np.linalg.norm(apart, axis=-1)
        return distances / len(self._indexes)

    def forget(self) -> None:
        super().forget()
        self._bank = None
        self._indexes = []

    def get_config(self) -> Config:
        return {
            "k": self.k,
            "max_examples": self.max_examples,
            "seed": self.seed,
        }


# Features shorter than this count as zero.
SHORTEST = 1e-12

# From rows `(batch, dim)` and k to the index of each row's k-th neighbour.
Search = Callable[[np.ndarray, int], np.ndarray]


def make_search(rows: np.ndarray) -> Search:
    """Exact search by faiss, if it is installed, else by scikit-learn."""
    try:
        faiss = importlib.import_module("faiss")
    except ModuleNotFoundError:
        neighbors = importlib.import_module("sklearn.neighbors")
        index = neighbors.NearestNeighbors(algorithm="brute").fit(rows)
        return lambda x, k: index.kneighbors(x, k, return_distance=False)[:, -1]
    index = faiss.IndexFlatL2(rows.shape[1])
    index.add(rows)
    return lambda x, k: index.search(np.ascontiguousarray(x), k)[1][:, -1]
