"""What all calibrators share: configuration and the way to logits and back."""

import keras
import numpy as np
from keras import ops

from keras_plex.calibration.labelled import check_kind
from keras_plex.types import Config
from keras_plex.types import Tensor

TINY = float(np.finfo("float32").tiny)
# Half of the last digit of a float32 just below 1.
SMALLEST_REST = 2.0**-25


class Calibrator:
    """A map of outputs that is fitted to labelled data and kept as numbers.

    A subclass has `fit(outputs, labels, sample_weight=None)`, which puts plain
    numbers and lists into `fitted` and returns itself, and `__call__`, which
    uses them.

    Args:
        output_kind: what the outputs are: `"softmax_logits"`,
            `"sigmoid_logits"` (one unit) or `"probabilities"`. Defaults to
            `"softmax_logits"`.

    Example:

    >>> class Halve(Calibrator):
    ...     def __call__(self, outputs):
    ...         return outputs / 2
    >>> Halve.from_config(Halve().get_config())(3.0)
    1.5
    """

    # Whether it maps each member's outputs, or the forecast's probabilities.
    is_of_members = True

    def __init__(self, output_kind: str = "softmax_logits"):
        check_kind(output_kind)
        self.output_kind = output_kind
        self.fitted: Config | None = None

    @property
    def num_examples(self) -> int:
        """How many examples it was fitted to."""
        return self.numbers()["num_examples"]

    def numbers(self) -> Config:
        """What was fitted; raises before `fit`."""
        if self.fitted is None:
            raise ValueError(
                f"`{type(self).__name__}` is not fitted: call "
                "`fit(outputs, labels)` first."
            )
        return self.fitted

    def get_config(self) -> Config:
        """The arguments, and what was fitted."""
        return {"output_kind": self.output_kind, "fitted": self.fitted}

    @classmethod
    def from_config(cls, config: Config):
        """The calibrator of a configuration."""
        arguments = {k: v for k, v in config.items() if k != "fitted"}
        calibrator = cls(**arguments)
        calibrator.fitted = config["fitted"]
        return calibrator


def as_logits(outputs: np.ndarray, output_kind: str) -> np.ndarray:
    """Outputs as logits, in NumPy; see `to_logits`."""
    if output_kind != "probabilities":
        return outputs
    logits = np.log(np.maximum(outputs, TINY))
    if outputs.shape[-1] == 1:
        logits -= np.log(np.maximum(1.0 - outputs, SMALLEST_REST))
    return logits


def to_logits(outputs: Tensor, output_kind: str) -> Tensor:
    """Outputs as logits, in float32 or wider; one unit is a sigmoid's."""
    outputs = in_float32(outputs)
    if output_kind != "probabilities":
        return outputs
    logits = ops.log(ops.maximum(outputs, TINY))
    if outputs.shape[-1] == 1:
        logits -= ops.log(ops.maximum(1.0 - outputs, SMALLEST_REST))
    return logits


def to_outputs(logits: Tensor, output_kind: str) -> Tensor:
    """The inverse of `to_logits`."""
    if output_kind != "probabilities":
        return logits
    is_binary = logits.shape[-1] == 1
    return ops.sigmoid(logits) if is_binary else ops.softmax(logits, axis=-1)


def in_float32(x: Tensor) -> Tensor:
    """A tensor in float32, or in float64 if it was."""
    x = ops.convert_to_tensor(x)
    is_wide = keras.backend.standardize_dtype(x.dtype) == "float64"
    return x if is_wide else ops.cast(x, "float32")


def same_kind(result: Tensor, given: Tensor) -> Tensor:
    """NumPy for what was no tensor, else the tensor as it is."""
    if ops.is_tensor(given) or isinstance(given, keras.KerasTensor):
        return result
    return ops.convert_to_numpy(result)
