"""Class means and the scatter around them, in one pass over the features."""

import numpy as np

# So many rows are merged at once: few large products are fast.
BLOCK = 1024


class Moments:
    """Counts, class means and scatter of batches of vectors, in float64.

    Batches are merged by the differences of their means, so that no large
    numbers cancel: a thousand batches give what one gives, to rounding.

    Reference:
        Chan, Golub and LeVeque, 1983, "Algorithms for computing the sample
        variance: analysis and recommendations".
    """

    def __init__(self, ensemble_size: int, dim: int):
        self._counts = np.zeros(0)
        # (ensemble, classes, dim)
        self._means = np.zeros((ensemble_size, 0, dim))
        # Around each class's mean: (ensemble, dim, dim)
        self._scatter = np.zeros((ensemble_size, dim, dim))
        self._waiting: list[tuple[np.ndarray, np.ndarray]] = []

    def update(self, features: np.ndarray, classes: np.ndarray) -> None:
        """Takes a batch in.

        Args:
            features: `(batch, ensemble, dim)` float64.
            classes: `(batch,)` int, the class of each row.
        """
        if not len(classes):
            return
        self._waiting.append((features, classes))
        if sum(len(classes) for _, classes in self._waiting) >= BLOCK:
            self._merge_waiting()

    def _merge_waiting(self) -> None:
        if self._waiting:
            features, classes = zip(*self._waiting, strict=True)
            self._waiting = []
            self._merge(np.concatenate(features), np.concatenate(classes))

    def _merge(self, features: np.ndarray, classes: np.ndarray) -> None:
        self._make_room(int(classes.max()) + 1)
        present, rows, new = np.unique(
            classes, return_inverse=True, return_counts=True
        )
        is_class = (rows == np.arange(len(present))[:, None]).astype("float64")
        old = self._counts[present]
        share = new / (old + new)
        for member, means in enumerate(self._means):
            x = features[:, member]
            # (present, batch) @ (batch, dim) -> (present, dim)
            batch_means = is_class @ x / new[:, None]
            around = x - batch_means[rows]
            apart = batch_means - means[present]
            moved = apart * np.sqrt(old * share)[:, None]
            self._scatter[member] += around.T @ around + moved.T @ moved
            means[present] += apart * share[:, None]
        self._counts[present] += new

    @property
    def counts(self) -> np.ndarray:
        """`(classes,)`, how many rows each class has."""
        self._merge_waiting()
        return self._counts

    @property
    def class_means(self) -> np.ndarray:
        """`(ensemble, classes, dim)` of the classes that occurred."""
        has_rows = self.counts > 0
        return self._means[:, has_rows]

    @property
    def mean(self) -> np.ndarray:
        """`(ensemble, dim)` of all vectors."""
        weights = self.counts / self.counts.sum()
        return weights @ self._means

    @property
    def within(self) -> np.ndarray:
        """Covariance around the class means, `(ensemble, dim, dim)`."""
        count = self.counts.sum()
        return self._scatter / count

    @property
    def total(self) -> np.ndarray:
        """Covariance around the mean of all vectors, likewise."""
        weights = self.counts / self.counts.sum()
        apart = self._means - self.mean[:, None]
        apart *= np.sqrt(weights)[:, None]
        return self.within + apart.swapaxes(1, 2) @ apart

    def _make_room(self, classes: int) -> None:
        missing = classes - len(self._counts)
        if missing > 0:
            self._counts = np.pad(self._counts, (0, missing))
            self._means = np.pad(self._means, ((0, 0), (0, missing), (0, 0)))


def whitening(covariance: np.ndarray, ridge: float, scale: float) -> np.ndarray:
    """`W` with `W @ W.T = inverse(covariance + ridge * scale * I)`.

    Args:
        covariance: `(dim, dim)`, of any rank.
        ridge: positive, relative to `scale`.
        scale: a typical variance, such as the mean of the diagonal.
    """
    variances, directions = np.linalg.eigh(covariance)
    variances = np.maximum(variances, 0.0) + ridge * scale
    return directions / np.sqrt(variances)


def typical_variance(*covariances: np.ndarray) -> float:
    """The mean variance of the first that is not zero, else 1."""
    for covariance in covariances:
        mean = float(np.trace(covariance)) / len(covariance)
        if mean > np.finfo("float32").tiny:
            return mean
    return 1.0
