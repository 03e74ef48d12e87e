"""A rising function for each class's probability."""

import numpy as np
from keras import ops
from numpy.typing import ArrayLike

from keras_plex.calibration.calibrator import Calibrator
from keras_plex.calibration.calibrator import in_float32
from keras_plex.calibration.calibrator import same_kind
from keras_plex.calibration.labelled import check_count
from keras_plex.calibration.labelled import check_every_class
from keras_plex.calibration.labelled import labelled_outputs
from keras_plex.types import Config
from keras_plex.types import Tensor

STEEPEST = 1e30


class IsotonicCalibration(Calibrator):
    """Maps probabilities through rising functions fitted to labels.

    For a miscalibration that no scale describes, given thousands of examples;
    with few it overfits. It is flat between steps, so that forecasts tie, and
    gives probabilities of exactly 0, whose negative log likelihood is
    infinite. A steep step magnifies rounding: eager and compiled passes may
    differ in the fifth digit there.

    Per class, one against the rest: `f_k(p_k)`, the rising function closest in
    squares to `label == k`, linear between its steps; then the row is divided
    by its sum. Two classes have one function, `f(p_1)` and `1 - f(p_1)`. A row
    whose values are all 0 stays as it was.

    It acts on the forecast, not on members. Of a model with members the
    forecast's probabilities, labels, confidence and entropy are calibrated;
    the members' probabilities, expected entropy, mutual information and
    disagreement stay those of the model.

    Input shape:
        `(batch, classes)`, probabilities.

    Output shape:
        As the input.

    Example:

    >>> forecasts = np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.2, 0.8]])
    >>> calibration = IsotonicCalibration().fit(forecasts, [0, 1, 0, 1])
    >>> calibration(forecasts).round(2).tolist()
    [[1.0, 0.0], [0.5, 0.5], [0.5, 0.5], [0.0, 1.0]]

    Reference:
        Zadrozny and Elkan, 2002, "Transforming classifier scores into accurate
        multiclass probability estimates",
        https://doi.org/10.1145/775047.775151
    """

    is_of_members = False

    def __init__(self):
        super().__init__("probabilities")

    @property
    def functions(self) -> list[tuple[list[float], list[float]]]:
        """Where each function's pieces begin, and its values there."""
        numbers = self.numbers()
        return list(zip(numbers["points"], numbers["values"], strict=True))

    def fit(
        self,
        outputs: ArrayLike,
        labels: ArrayLike,
        sample_weight: ArrayLike | None = None,
    ) -> "IsotonicCalibration":
        """Fits the functions to held-out examples of every class.

        Args:
            outputs: `(examples, classes)`, probabilities.
            labels: class indices, or one-hot or soft labels.
            sample_weight: `(examples,)`. Defaults to all equal.
        """
        if np.ndim(outputs) != 2 or np.shape(outputs)[1] < 2:
            raise ValueError(
                "Isotonic calibration takes the probabilities of a forecast, "
                "(examples, classes), of two classes or more. "
                f"Received: shape={np.shape(outputs)}"
            )
        data = labelled_outputs(outputs, labels, sample_weight, "probabilities")
        check_count(len(data.outputs), 2, "Isotonic calibration")
        check_every_class(data.targets, "Isotonic calibration")
        probabilities = data.outputs[:, 0]
        num_classes = probabilities.shape[-1]
        classes = [1] if num_classes == 2 else range(num_classes)
        found = [
            _rising_function(
                probabilities[:, k], data.targets[:, k], data.weights
            )
            for k in classes
        ]
        self.fitted = {
            "points": [points for points, _ in found],
            "values": [values for _, values in found],
            "num_examples": len(probabilities),
        }
        return self

    def __call__(self, probabilities: Tensor) -> Tensor:
        given, probabilities = probabilities, in_float32(probabilities)
        functions = self.functions
        num_classes = max(len(functions), 2)
        if probabilities.shape[-1] != num_classes:
            raise ValueError(
                f"The functions are those of {num_classes} classes. "
                f"Received: shape={tuple(probabilities.shape)}"
            )
        if len(functions) == 1:
            positive = _interpolate(functions, probabilities[:, 1:])
            mapped = ops.concatenate([1.0 - positive, positive], axis=-1)
            return same_kind(mapped, given)
        values = _interpolate(functions, probabilities)
        total = ops.sum(values, axis=-1, keepdims=True)
        is_lost = total <= 0
        mapped = ops.where(
            is_lost, probabilities, values / ops.where(is_lost, 1.0, total)
        )
        return same_kind(mapped, given)

    def get_config(self) -> Config:
        """What was fitted."""
        return {"fitted": self.fitted}


def _rising_function(x: np.ndarray, y: np.ndarray, weights: np.ndarray):
    # Not above: the import takes a second, which each start would pay.
    from sklearn.isotonic import IsotonicRegression

    regression = IsotonicRegression(y_min=0.0, y_max=1.0)
    regression.fit(x, y, sample_weight=weights)
    points, values = regression.X_thresholds_, regression.y_thresholds_
    return points.tolist(), values.tolist()


def _interpolate(functions: list, x: Tensor) -> Tensor:
    """Column k of `(batch, functions)` through function k, as `np.interp`."""
    size = max(len(points) for points, _ in functions)
    tables = [_pieces(*function, size) for function in functions]
    # (functions, size) each; a point at infinity is never reached.
    points, values, ends, slopes = (
        ops.cast(np.stack(part), x.dtype) for part in zip(*tables, strict=True)
    )
    is_reached = ops.expand_dims(x, axis=-1) >= points
    piece = ops.sum(ops.cast(is_reached, "int32"), axis=-1) - 1
    offsets = size * ops.arange(len(functions), dtype="int32")
    index = ops.maximum(piece, 0) + offsets

    def at_piece(table: Tensor) -> Tensor:
        return ops.take(ops.reshape(table, (-1,)), index)

    distance = ops.maximum(x - at_piece(points), 0.0)
    risen = at_piece(values) + distance * at_piece(slopes)
    return ops.minimum(risen, at_piece(ends))


def _pieces(points: list, values: list, size: int) -> tuple[np.ndarray, ...]:
    """Where each linear piece begins, its first and last value, its slope."""
    x, y = np.asarray(points, "float32").astype("float64"), np.asarray(values)
    width = np.diff(x)
    slopes = np.diff(y) / np.where(width > 0, width, np.inf)
    slopes = np.minimum(np.append(slopes, 0.0), STEEPEST)
    ends = np.append(y[1:], y[-1])
    rest = (0, size - len(x))
    return (
        np.pad(x, rest, constant_values=np.inf),
        np.pad(y, rest),
        np.pad(ends, rest),
        np.pad(slopes, rest),
    )
