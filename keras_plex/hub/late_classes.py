"""Classes made from KerasHub's, imported when they are asked for.

A file that holds one loads where only `import keras_plex` has run.
"""

import importlib

import keras

from keras_plex.types import Config

# Name -> the file that defines it.
LATE_CLASSES = {
    "T5Classifier": "t5_classifier",
    "T5TextClassifierPreprocessor": "t5_text_classifier_preprocessor",
}


def late_class(name: str) -> type:
    """The class of this name.

    Raises:
        AttributeError: for a name that is not in `LATE_CLASSES`.
        ImportError: where KerasHub is not installed.
    """
    if name not in LATE_CLASSES:
        raise AttributeError(
            f"There is no {name!r} in `keras_plex.models`. Classes made from "
            f"KerasHub's: {', '.join(LATE_CLASSES)}"
        )
    try:
        module = importlib.import_module(f"keras_plex.hub.{LATE_CLASSES[name]}")
    except ImportError as error:
        raise ImportError(
            f'`{name}` needs KerasHub: pip install "keras_plex[hub]"'
        ) from error
    return getattr(module, name)


def _stand_in(name: str) -> type:
    """What Keras finds under the registered name until the class is here."""

    def from_config(cls, config: Config):
        return late_class(name).from_config(config)

    def get_config(self) -> Config:
        raise NotImplementedError

    methods = {
        "from_config": classmethod(from_config),
        "get_config": get_config,  # Keras registers no class without one
    }
    return type(name, (), methods)


for _name in LATE_CLASSES:
    keras.saving.register_keras_serializable("keras_plex", _name)(
        _stand_in(_name)
    )
