"""The posterior covariance of a linear layer's weights, from features."""

import warnings

import keras
import numpy as np
from keras import ops
from scipy import linalg

from keras_plex.layers.covariance_arguments import check_covariance_arguments
from keras_plex.layers.covariance_arguments import check_state_size
from keras_plex.types import Config
from keras_plex.types import Tensor

# Elements for each row of features that a class-wise step holds at once.
CHUNK_ELEMENTS = 65_536


@keras.saving.register_keras_serializable("keras_plex")
class LaplaceCovariance(keras.layers.Layer):
    """Variance of a linear map of features, from the features seen.

    Bayesian linear regression with prior `N(0, I)`, noise variance `ridge` and
    row weights `w`, which are 1 for a gaussian likelihood:

    `variance(phi) = phi (I + sum_i w_i phi_i phi_i^T / ridge)^-1 phi^T`

    `update` adds features to the precision matrix inside a training step;
    `refresh` inverts it once, by a float64 Cholesky factorisation; calling the
    layer gives the variance of each example with one matrix product, never a
    batch-by-batch matrix. All state is float32 under any dtype policy.

    With `num_classes` each class has its own weights and precision. State is
    then `8 * num_classes * num_features ** 2` bytes, and an update needs half
    of it again; classes are worked on in chunks that hold at most
    `CHUNK_ELEMENTS` numbers (or one class) for each row.

    Args:
        ridge_penalty: positive float, the noise variance. Defaults to `1.0`.
        momentum: `None` for the exact sum, or a float in `(0, 1)`: the
            precision is then a moving average of the batch means, and the
            prior stays whole. Defaults to `None`.
        num_classes: positive int, or `None` for one covariance.
        **kwargs: arguments of `keras.layers.Layer`.

    Input shape:
        `(batch, ..., num_features)`.

    Output shape:
        `(batch, ...)` float32, or `(batch, ..., num_classes)`.

    Example:

    >>> covariance = LaplaceCovariance(ridge_penalty=1.0)
    >>> covariance.build((None, 2))
    >>> covariance.update(np.array([[1.0, 0.0]] * 3, "float32"))
    >>> covariance.refresh()
    >>> covariance(np.eye(2, dtype="float32")).numpy().tolist()
    [0.25, 1.0]

    Reference:
        Liu et al., 2020, "Simple and principled uncertainty estimation with
        deterministic deep learning via distance awareness".
    """

    def __init__(
        self,
        ridge_penalty: float = 1.0,
        momentum: float | None = None,
        num_classes: int | None = None,
        **kwargs,
    ):
        super().__init__(**{**kwargs, "dtype": "float32"})
        check_covariance_arguments(ridge_penalty, momentum, num_classes)
        self.supports_masking = True
        self.ridge_penalty = ridge_penalty
        self.momentum = momentum
        self.num_classes = num_classes

    def build(self, input_shape: tuple) -> None:
        size = input_shape[-1]
        shape = (size, size)
        if self.num_classes is not None:
            check_state_size(self.num_classes, size)
            shape = (self.num_classes, *shape)
        # Without the prior, and read as a sum over replicas, so that data
        # parallel training gives what one device gives.
        self.precision = keras.Variable(
            initializer=keras.initializers.Zeros(),
            shape=shape,
            dtype="float32",
            trainable=False,
            autocast=False,
            aggregation="sum" if self.momentum is None else "mean",
            synchronization="on_read",
            name="precision",
        )
        self.root = self._add_state(
            "root",
            shape,
            lambda shape, dtype: ops.zeros(shape) + ops.eye(size),
        )
        self.has_data = self._add_state("has_data", (), "zeros")
        self.skipped_rows = self._add_state("skipped_rows", (), "zeros")
        self.built = True

    def _add_state(self, name: str, shape: tuple, initializer):
        return self.add_weight(
            name=name,
            shape=shape,
            initializer=initializer,
            trainable=False,
            autocast=False,
        )

    def call(self, features: Tensor) -> Tensor:
        # root = L^-1 with L L^T = I + precision / ridge
        if self.num_classes is None:
            whitened = ops.matmul(features, ops.transpose(self.root))
            return ops.sum(ops.square(whitened), axis=-1)
        chunks = [
            ops.sum(ops.square(ops.tensordot(features, root, [-1, -1])), -1)
            for root in self._chunks_of(self.root)
        ]
        return ops.concatenate(chunks, axis=-1)  # (batch, ..., num_classes)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        classes = () if self.num_classes is None else (self.num_classes,)
        return (*input_shape[:-1], *classes)

    def update(
        self,
        features: Tensor,
        mask: Tensor | None = None,
        weights: Tensor | None = None,
    ) -> None:
        """Adds `(batch, ..., num_features)` to the precision.

        Rows with a NaN or an infinity are left out and counted; the next
        `refresh` warns about them. So are rows whose `mask`, `(batch, ...)`
        bool, is false, without a warning. `weights` are `(batch, ...)`, or
        `(batch, ..., num_classes)` with a precision per class.
        """
        rows, weights, count, skipped = self._clean(features, mask, weights)
        if self.num_classes is None:
            added = ops.matmul(ops.transpose(rows * weights), rows)
        else:
            added = self._classwise_sum(rows, weights)
        if self.momentum is None:
            precision = self.precision + added
        else:
            mean = added / ops.maximum(count, 1.0)
            moved = (
                self.momentum * self.precision + (1.0 - self.momentum) * mean
            )
            precision = ops.where(
                count > 0, moved, ops.convert_to_tensor(self.precision)
            )
        self.precision.assign(precision)
        self.skipped_rows.assign(self.skipped_rows + skipped)

    def _clean(self, features, mask, weights):
        # (batch, ..., features) -> (rows, features)
        rows = ops.reshape(
            ops.cast(ops.stop_gradient(features), "float32"),
            (-1, self.precision.shape[-1]),
        )
        columns = 1 if self.num_classes is None else self.num_classes
        if weights is None:
            weights = ops.ones_like(rows[:, :1])
        weights = ops.reshape(ops.cast(weights, "float32"), (-1, columns))
        is_finite = ops.logical_and(
            ops.all(ops.isfinite(rows), axis=-1, keepdims=True),
            ops.all(ops.isfinite(weights), axis=-1, keepdims=True),
        )
        is_seen = ops.ones_like(is_finite)
        if mask is not None:
            is_seen = ops.cast(ops.reshape(mask, (-1, 1)), "bool")
        is_used = ops.logical_and(is_finite, is_seen)
        is_skipped = ops.logical_and(ops.logical_not(is_finite), is_seen)
        skipped = ops.sum(ops.cast(is_skipped, "float32"))
        rows = ops.where(is_used, rows, ops.zeros_like(rows))
        weights = ops.where(is_used, weights, ops.zeros_like(weights))
        return rows, weights, ops.sum(ops.cast(is_used, "float32")), skipped

    def _classwise_sum(self, rows: Tensor, weights: Tensor) -> Tensor:
        # (rows, classes), (rows, features) -> (classes, features, features)
        columns = ops.expand_dims(ops.transpose(weights), axis=-1)
        chunks = [
            ops.matmul(ops.transpose(column * rows, (0, 2, 1)), rows)
            for column in self._chunks_of(columns)
        ]
        return ops.concatenate(chunks, axis=0)

    def _chunks_of(self, x: Tensor) -> list[Tensor]:
        length = max(1, CHUNK_ELEMENTS // self.precision.shape[-1])
        starts = range(0, x.shape[0], length)
        return [x[start : start + length] for start in starts]

    def reset(self) -> None:
        """Forgets the features seen; the variance stays until `refresh`."""
        self.precision.assign(ops.zeros(self.precision.shape))

    def refresh(self, prior_precision: float = 1.0) -> None:
        """Makes the variance that of the features seen since `reset`.

        Args:
            prior_precision: of the weights, `1 / variance`.
        """
        precision = ops.convert_to_numpy(self.precision)
        size = precision.shape[-1]
        root = np.empty_like(precision).reshape(-1, size, size)
        for i, matrix in enumerate(precision.reshape(root.shape)):
            root[i] = self._inverse_root(matrix, prior_precision)
        self.root.assign(root.reshape(precision.shape))
        self.has_data.assign(float(np.any(precision)))
        self._warn_about_skipped_rows()

    def _inverse_root(self, matrix: np.ndarray, prior: float) -> np.ndarray:
        identity = np.eye(len(matrix))
        scaled = matrix.astype("float64") / self.ridge_penalty
        factor = self._cholesky(prior * identity + scaled)
        return linalg.solve_triangular(factor, identity, lower=True)

    def _cholesky(self, matrix: np.ndarray) -> np.ndarray:
        # The float32 sum rounds: with a tiny ridge it may not be positive.
        jitter = 0.0
        while True:
            try:
                factor = np.linalg.cholesky(
                    matrix + jitter * np.eye(len(matrix))
                )
            except np.linalg.LinAlgError:
                least = 1e-8 * np.trace(matrix) / len(matrix)
                jitter = max(10.0 * jitter, least)
                continue
            if jitter:
                warnings.warn(
                    f"The precision matrix of {self.path!r} became positive "
                    f"definite only with {jitter:.1e} on its diagonal. A "
                    f"larger `ridge_penalty` than {self.ridge_penalty} avoids "
                    "this.",
                    stacklevel=5,
                )
            return factor

    def _warn_about_skipped_rows(self) -> None:
        skipped = int(ops.convert_to_numpy(self.skipped_rows))
        if skipped:
            self.skipped_rows.assign(0.0)
        if skipped and not getattr(self, "has_warned", False):
            self.has_warned = True
            warnings.warn(
                f"{skipped} rows with NaN or infinite features reached "
                f"{self.path!r} and were left out of its precision matrix. "
                "Check the inputs and the learning rate.",
                stacklevel=4,
            )

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "ridge_penalty": self.ridge_penalty,
            "momentum": self.momentum,
            "num_classes": self.num_classes,
        }
