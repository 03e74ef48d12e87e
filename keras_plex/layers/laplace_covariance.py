"""The posterior covariance of a linear layer's weights, from features."""

import warnings
from typing import Any

import keras
import numpy as np
from keras import ops
from scipy import linalg

from keras_plex.types import Config
from keras_plex.types import Tensor


@keras.saving.register_keras_serializable("keras_plex")
class LaplaceCovariance(keras.layers.Layer):
    """Variance of a linear map of features, from the features seen.

    Bayesian linear regression with prior `N(0, I)` and noise variance `ridge`:

    `variance(phi) = ridge * phi (ridge I + sum_i phi_i phi_i^T)^-1 phi^T`

    `update` adds features to the precision matrix inside a training step;
    `refresh` inverts it once, by a float64 Cholesky factorisation; calling the
    layer gives the variance of each example with one matrix product, never a
    batch-by-batch matrix. All state is float32 under any dtype policy.

    Args:
        ridge_penalty: positive float, the noise variance. Defaults to `1.0`.
        momentum: `None` for the exact sum, or a float in `(0, 1)`: the
            precision is then a moving average of the batch means, and the
            ridge stays whole. Defaults to `None`.
        **kwargs: arguments of `keras.layers.Layer`.

    Input shape:
        `(batch, ..., num_features)`.

    Output shape:
        `(batch, ...)` float32.

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
        **kwargs,
    ):
        super().__init__(**{**kwargs, "dtype": "float32"})
        check_covariance_arguments(ridge_penalty, momentum)
        self.ridge_penalty = ridge_penalty
        self.momentum = momentum

    def build(self, input_shape: tuple) -> None:
        size = input_shape[-1]
        # Without the ridge, and read as a sum over replicas, so that data
        # parallel training gives what one device gives.
        self.precision = keras.Variable(
            initializer=keras.initializers.Zeros(),
            shape=(size, size),
            dtype="float32",
            trainable=False,
            autocast=False,
            aggregation="sum" if self.momentum is None else "mean",
            synchronization="on_read",
            name="precision",
        )
        self.root = self.add_weight(
            name="root",
            shape=(size, size),
            initializer=keras.initializers.Identity(self.ridge_penalty**-0.5),
            trainable=False,
            autocast=False,
        )
        self.has_data = self.add_weight(
            name="has_data",
            shape=(),
            initializer="zeros",
            trainable=False,
            autocast=False,
        )
        self.skipped_rows = self.add_weight(
            name="skipped_rows",
            shape=(),
            initializer="zeros",
            trainable=False,
            autocast=False,
        )
        self.built = True

    def call(self, features: Tensor) -> Tensor:
        # root = L^-1 with L L^T = ridge I + precision
        whitened = ops.matmul(features, ops.transpose(self.root))
        return self.ridge_penalty * ops.sum(ops.square(whitened), axis=-1)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return tuple(input_shape[:-1])

    def update(self, features: Tensor, mask: Tensor | None = None) -> None:
        """Adds `(batch, ..., num_features)` to the precision.

        Rows with a NaN or an infinity are left out and counted; the next
        `refresh` warns about them. So are rows whose `mask`, `(batch, ...)`
        bool, is false, without a warning.
        """
        size = self.precision.shape[0]
        # (batch, ..., features) -> (rows, features)
        rows = ops.reshape(ops.stop_gradient(features), (-1, size))
        finite = ops.all(ops.isfinite(rows), axis=-1, keepdims=True)
        rows = ops.where(finite, rows, ops.zeros_like(rows))
        skipped = ops.sum(ops.cast(ops.logical_not(finite), "float32"))
        weight = ops.cast(finite, "float32")
        if mask is not None:
            weight = weight * ops.cast(ops.reshape(mask, (-1, 1)), "float32")
            rows = rows * weight
        count = ops.sum(weight)
        added = ops.matmul(ops.transpose(rows), rows)
        if self.momentum is None:
            precision = self.precision + added
        else:
            mean = added / ops.maximum(count, 1.0)
            moved = (
                self.momentum * self.precision + (1.0 - self.momentum) * mean
            )
            precision = ops.where(count > 0, moved, self.precision)
        self.precision.assign(precision)
        self.skipped_rows.assign(self.skipped_rows + skipped)

    def reset(self) -> None:
        """Forgets the features seen; the variance stays until `refresh`."""
        self.precision.assign(ops.zeros(self.precision.shape))

    def refresh(self) -> None:
        """Makes the variance that of the features seen since `reset`."""
        precision = ops.convert_to_numpy(self.precision).astype("float64")
        size = len(precision)
        total = self.ridge_penalty * np.eye(size) + precision
        factor = self._cholesky(total)
        root = linalg.solve_triangular(factor, np.eye(size), lower=True)
        self.root.assign(root.astype("float32"))
        self.has_data.assign(float(np.trace(precision) > 0))
        self._warn_about_skipped_rows()

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
                    stacklevel=4,
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
        }


def check_covariance_arguments(
    ridge_penalty: float, momentum: float | None
) -> None:
    """Raises unless the noise variance and the momentum make sense."""
    if not is_number(ridge_penalty) or not ridge_penalty > 0:
        raise ValueError(
            "`ridge_penalty` must be positive. "
            f"Received: ridge_penalty={ridge_penalty!r}"
        )
    is_none = momentum is None
    if not is_none and not (is_number(momentum) and 0 < momentum < 1):
        raise ValueError(
            "`momentum` must be `None` (the exact sum) or lie in (0, 1). "
            f"Received: momentum={momentum!r}"
        )


def is_number(value: Any) -> bool:
    """Whether a value is an int or a float, and no bool."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)
