"""A model with members goes to a file and comes back."""

import keras

from keras_plex.models.pickling import from_bytes
from keras_plex.models.pickling import to_bytes
from keras_plex.types import Config


class MemberSaving:
    """What a model with members changes in how its stock class is saved.

    Its `from_config` gives a built model; Keras's own file does the rest.
    """

    def __reduce__(self):
        return from_bytes, (to_bytes(self),)

    def get_build_config(self) -> None:
        """Nothing: `from_config` gives a built model."""

    def compile_from_config(self, config: Config) -> None:
        """Compiles a loaded model as it was, also a KerasHub task."""
        # Not `self.compile`, which reads the kinds of the outputs off the loss.
        super().compile(**keras.saving.deserialize_keras_object(config))
        if getattr(self, "optimizer", None) is not None:
            self.optimizer.build(self.trainable_variables)

    def save_to_preset(self, *args, **kwargs) -> None:
        raise ValueError(
            "A preset cannot hold a model with members. Use "
            '`model.save("model.keras")` and `keras.saving.load_model`.'
        )
