"""The callback that keeps heads with a covariance up to date."""

import keras

from keras_plex.conversion.surgery import walk_layers
from keras_plex.layers.covariance_head import CovarianceHead


class ResetCovariance(keras.callbacks.Callback):
    """Starts each epoch's covariance afresh and makes it ready after it.

    The weights under a head with a covariance move during training: its exact
    covariance is that of one epoch. This callback resets it when an epoch
    begins (not a moving average, which forgets by itself) and inverts it when
    a validation or the epoch is reached. `PlexModel.fit` adds it by itself, in
    front of the other callbacks. For a loop of your own:

    >>> callback = ResetCovariance()
    >>> callback.set_model(keras.Sequential())
    >>> callback.on_epoch_begin(0)
    >>> # ... the training steps of one epoch ...
    >>> callback.on_epoch_end(0)

    Reference:
        Liu et al., 2020, "Simple and principled uncertainty estimation with
        deterministic deep learning via distance awareness".
    """

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        for layer in covariance_heads(self.model):
            if layer.covariance.momentum is None:
                layer.reset_covariance()

    def on_test_begin(self, logs: dict | None = None) -> None:
        self._update()

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        self._update()

    def _update(self) -> None:
        for layer in covariance_heads(self.model):
            layer.update_covariance()


def covariance_heads(model: keras.Model) -> list[CovarianceHead]:
    """The layers with a covariance inside a model."""
    return [
        layer
        for layer in walk_layers(model)
        if isinstance(layer, CovarianceHead)
    ]
