"""Compiled functions of a model end with the weights they were made for."""

from keras_plex.models.plex_state import PlexState


class FreshFunctions:
    """Mixin in front of a Keras model whose parts can change under it.

    `model.backbone.quantize("int8")` or `enable_lora` replaces weights, and
    Keras would go on with what it compiled before.
    """

    _plex: PlexState

    def forget_stale_functions(self) -> None:
        """Drops what was compiled for other weights than there are now."""
        weights = [(id(w), tuple(w.shape), w.dtype) for w in self.weights]
        if self._plex.compiled_for not in (None, weights):
            self.forget_compiled_functions()
        self._plex.compiled_for = weights

    def make_train_function(self, *args, **kwargs):
        self.forget_stale_functions()
        return super().make_train_function(*args, **kwargs)

    def make_test_function(self, *args, **kwargs):
        self.forget_stale_functions()
        return super().make_test_function(*args, **kwargs)

    def make_predict_function(self, *args, **kwargs):
        self.forget_stale_functions()
        return super().make_predict_function(*args, **kwargs)

    def predict_details(self, *args, **kwargs) -> dict:
        # Before it sets aside the function of `predict`.
        self.forget_stale_functions()
        return super().predict_details(*args, **kwargs)
