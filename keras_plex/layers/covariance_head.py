"""What output layers with a posterior covariance share."""

import keras
from keras import ops

from keras_plex.layers.laplace_covariance import LaplaceCovariance
from keras_plex.types import Tensor


class CovarianceHead:
    """Mixin of an output layer whose logits have a variance.

    The layer says what its mean is (`_mean`), which features its
    covariance is made of (`covariance_features`), what a row weighs
    (`curvature`), and what the variance does to a forecast (`flatten`); its
    `add_covariance` adds the rest. In training rows join the covariance; at
    inference, once data has been seen, the variance flattens the forecast,
    whose logits `logit_scale` multiplies before.
    """

    # The weights that a file holds under their own names.
    stored_weights = (
        "mean_kernel",
        "bias",
        "residual_kernel",
        "mean_field",
        "logit_scale",
    )
    covariance: LaplaceCovariance

    def add_covariance(
        self,
        num_features: int,
        ridge_penalty: float = 1.0,
        momentum: float | None = None,
        num_classes: int | None = None,
    ) -> None:
        factor = self.mean_field_factor
        factor = self.typical_factor if factor is None else factor
        self.mean_field = self._add_number("mean_field", factor)
        self.logit_scale = self._add_number("logit_scale", 1.0)
        self.covariance = LaplaceCovariance(
            ridge_penalty, momentum, num_classes, name="covariance"
        )
        self.covariance.build((None, num_features))

    def call(
        self,
        inputs: Tensor,
        training: bool | None = None,
        mask: Tensor | None = None,
    ) -> Tensor:
        features = self.covariance_features(inputs)
        logits = self._mean(inputs, features)
        if training:
            self._observe(features, logits, mask)
        else:
            logits = self._forecast(features, logits)
        logits = ops.cast(logits, self.compute_dtype)
        return logits if self.activation is None else self.activation(logits)

    def mean_logits(self, inputs: Tensor) -> Tensor:
        """Logits before the variance and the activation: float32."""
        return self._mean(inputs, self.covariance_features(inputs))

    def variance(self, inputs: Tensor) -> Tensor:
        """Posterior variance of the logits: `(batch, ...)` float32.

        `(batch, ..., units)` where each unit has its own covariance.
        """
        features = self.covariance_features(inputs)
        return self.covariance(features)

    def reset_covariance(self) -> None:
        """Forgets the data; `variance` stays until `update_covariance`."""
        self.covariance.reset()

    def update_covariance(self) -> None:
        """Makes `variance` that of the data seen since the last reset."""
        self.covariance.refresh()

    def observe(self, inputs: Tensor, mask: Tensor | None = None) -> None:
        """Adds rows `(batch, ..., input_dim)` to the covariance.

        A call with `training=True` does so, too. Rows whose `mask`,
        `(batch, ...)` bool, is false are left out.
        """
        features = self.covariance_features(inputs)
        self._observe(features, self.mean_logits(inputs), mask)

    def save_own_variables(self, store: dict) -> None:
        for name in self.stored_weights:
            if getattr(self, name) is not None:
                store[name] = getattr(self, name)

    def load_own_variables(self, store: dict) -> None:
        for name in self.stored_weights:
            if getattr(self, name) is not None:
                getattr(self, name).assign(store[name])

    def _add_number(self, name: str, value: float) -> keras.Variable:
        return self.add_weight(
            name=name,
            shape=(),
            initializer=keras.initializers.Constant(value),
            dtype="float32",
            trainable=False,
            autocast=False,
        )

    def _observe(
        self, features: Tensor, logits: Tensor, mask: Tensor | None
    ) -> None:
        weights = self.curvature(ops.stop_gradient(logits))
        self.covariance.update(features, mask, weights)

    def _forecast(self, features: Tensor, logits: Tensor) -> Tensor:
        # Before any data the variance is the prior's: use the mean alone.
        has_data = self.covariance.has_data
        factor = self.mean_field * has_data
        logits = logits * (1.0 + has_data * (self.logit_scale - 1.0))
        return self.flatten(logits, self.covariance(features), factor)
