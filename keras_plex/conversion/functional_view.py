"""Functional models that their own class cannot bring back from a file."""

import contextlib
import copy as copying
import warnings
from collections.abc import Iterator

import keras

# A class that has one of these does more than run its graph.
BEHAVIOUR = ("call", "train_step", "test_step", "predict_step", "compute_loss")


def reloadable(model: keras.Model) -> keras.Model:
    """The model, or its graph alone where no file can hold its class.

    KerasCV's legacy classifiers put functions into their configuration that
    their `from_config` cannot read back. The graph of such a model computes
    the same and can be saved, but is no instance of the class any more.

    Args:
        model: left as it is; the graph shares its layers.
    """
    if not _may_lose_functions(model) or _comes_back(model):
        return model
    return keras.Model(model.input, model.output, name=model.name)


@contextlib.contextmanager
def unbuilt_layers_allowed() -> Iterator[None]:
    """Within it, Keras is silent about layers that their first call builds.

    Some of KerasCV's do. Who makes a model compares its weights.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings(
            "ignore", r"`build\(\)` was called on layer", UserWarning
        )
        yield


def _may_lose_functions(model: keras.Model) -> bool:
    classes = type(model).__mro__
    own = [cls for cls in classes if not _is_keras(cls)]
    names = {name for cls in own for name in vars(cls)}
    is_functional = any(
        cls.__name__ == "Functional" and _is_keras(cls) for cls in classes
    )
    if not is_functional or "get_config" not in names:
        return False
    if names.intersection(BEHAVIOUR):
        return False
    return any(callable(value) for value in model.get_config().values())


def _is_keras(cls: type) -> bool:
    return cls.__module__.partition(".")[0] == "keras"


def _comes_back(model: keras.Model) -> bool:
    serialized = keras.saving.serialize_keras_object(model)
    custom_objects = {type(model).__name__: type(model)}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            keras.saving.deserialize_keras_object(
                copying.deepcopy(serialized), custom_objects=custom_objects
            )
    except Exception:
        return False
    return True
