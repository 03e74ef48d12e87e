"""What the user passed to `fit`, by position or by name."""

import inspect
import math
from collections.abc import Callable

import keras
import numpy as np

from keras_plex.batches import is_arrays
from keras_plex.batches import is_rereadable
from keras_plex.models.reset_covariance import ResetCovariance
from keras_plex.types import Data

DEFAULT_BATCH_SIZE = 32


class FitArguments:
    """The arguments of one `fit`, bound to its signature."""

    def __init__(self, bound: inspect.BoundArguments):
        self.bound = bound

    @classmethod
    def bind(cls, fit: Callable, args: tuple, kwargs: dict) -> "FitArguments":
        return cls(inspect.signature(fit).bind(*args, **kwargs))

    @property
    def args(self) -> tuple:
        return self.bound.args

    @property
    def kwargs(self) -> dict:
        return self.bound.kwargs

    def get(self, name: str):
        arguments = self.bound.arguments
        if name in arguments:
            return arguments[name]
        return arguments.get("kwargs", {}).get(name)

    def set(self, name: str, value) -> None:
        if name in self.bound.signature.parameters:
            self.bound.arguments[name] = value
        else:
            extra = self.bound.arguments.get("kwargs", {})
            self.bound.arguments["kwargs"] = {**extra, name: value}

    def put_first_reset_covariance(self, model: keras.Model) -> None:
        """Adds the callback before those that predict when an epoch ends."""
        given = self.get("callbacks")
        if isinstance(given, keras.callbacks.CallbackList):
            if not any(_resets(callback) for callback in given.callbacks):
                given.callbacks.append(ResetCovariance())
                given.callbacks[-1].set_model(model)
            given.callbacks.sort(key=_resets, reverse=True)  # stable
            return
        callbacks = [] if given is None else given
        if not isinstance(callbacks, (list, tuple)):
            callbacks = [callbacks]
        others = [c for c in callbacks if not _resets(c)]
        own = [c for c in callbacks if _resets(c)] or [ResetCovariance()]
        self.set("callbacks", [*own, *others])

    def shows_progress(self) -> bool:
        """Whether `fit` draws a bar in each epoch."""
        return self.get("verbose") in (None, "auto", 1, True)

    def batch_size(self) -> int:
        """Of arrays, as Keras chooses it."""
        return self.get("batch_size") or DEFAULT_BATCH_SIZE

    def validation_steps(self) -> int | None:
        return self.get("validation_steps")

    def training_data(self) -> Data | None:
        """What `fit` learns from: `None` unless it can be read to its end."""
        x, y = self.get("x"), self.get("y")
        if not is_arrays(x):
            is_endless = self.get("steps_per_epoch") is not None
            return None if is_endless or not is_rereadable(x) else x
        parts = (x,) if y is None else (x, y)
        share = self.get("validation_split")
        if share:
            if not _has_rows(parts):
                return None
            parts = keras.tree.map_structure(
                lambda x: x[: _first_of_tail(x, share)], parts
            )
        return parts if len(parts) > 1 else parts[0]

    def validation_data(self) -> Data | None:
        """What `fit` validates on, also where it splits it off itself."""
        data = self.get("validation_data")
        if data is not None:
            return data
        share = self.get("validation_split")
        if not share:
            return None
        parts = (self.get("x"), self.get("y"), self.get("sample_weight"))
        parts = tuple(part for part in parts if part is not None)
        if not is_arrays(parts[0]) or not _has_rows(parts):
            return None  # `fit` says that it splits arrays only
        return keras.tree.map_structure(lambda x: _tail(x, share), parts)


def _resets(callback) -> bool:
    return isinstance(callback, ResetCovariance)


def _has_rows(parts: tuple) -> bool:
    """Whether all are arrays: of a list, Keras sees the single entries."""
    leaves = keras.tree.flatten(parts)
    return not any(isinstance(x, (str, bytes, int, float)) for x in leaves)


def _first_of_tail(x, share: float) -> int:
    # As Keras splits: the last examples, before any shuffling.
    return math.floor(len(x) * (1.0 - share))


def _tail(x, share: float):
    start = _first_of_tail(x, share)
    return x[start:] if hasattr(x, "shape") else np.asarray(x)[start:]
