"""Stock layers that do not come back from a file as they went."""

import keras

from keras_plex.conversion.surgery import add_mixin
from keras_plex.conversion.surgery import walk_layers


class KeepsTrainedPositions:
    """Mixin in front of DINOv2's embeddings: what was trained is saved.

    The stock layer trains position embeddings of the image's size and saves
    those of the pretraining size, interpolated; a file then gives others back
    than went in.
    """

    key = "interpolated_position_embeddings"

    def save_own_variables(self, store) -> None:
        # Not the stock layer's own, which also changes the model.
        keras.layers.Layer.save_own_variables(self, store)
        store[self.key] = keras.ops.convert_to_numpy(
            self.interpolated_position_embeddings
        )

    def load_own_variables(self, store) -> None:
        super().load_own_variables(store)
        if self.key in store.keys():
            self.interpolated_position_embeddings.assign(store[self.key])


# Name of a KerasHub layer's class -> what goes in front of it.
MENDED: dict[str, type] = {"DINOV2Embedding": KeepsTrainedPositions}


def mend_layers(model: keras.Model) -> None:
    """Changes such layers of a model, which the caller owns, in place."""
    for layer in walk_layers(model):
        mixin = MENDED.get(type(layer).__name__)
        package = type(layer).__module__.partition(".")[0]
        if mixin is not None and package == "keras_hub":
            add_mixin(layer, mixin)
