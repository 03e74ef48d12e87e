"""Do probabilities mean what they say?"""

from typing import Any

import numpy as np

from keras_plex.metrics.calibration_error import even_bins
from keras_plex.tasks.examples import Evidence
from keras_plex.tasks.examples import Examples
from keras_plex.tasks.one_set_task import OneSetTask

NUM_BINS = 15


class Calibration(OneSetTask):
    """Whether an event of probability 0.8 happens in 8 of 10 cases.

    | measure | |
    |---|---|
    | `ece` | expected calibration error, 15 bins |
    | `mce` | the largest gap of a bin |
    | `nll`, `brier` | proper scores, which calibration and accuracy improve |

    Args:
        test: labelled data: arrays `(x, y)`, a `tf.data.Dataset`, a
            `keras.utils.PyDataset` or another iterable of batches.
        name: what the results are called. Defaults to `"calibration"`.

    Example:

    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Softmax()])
    >>> x = np.log([[0.8, 0.2], [0.8, 0.2], [0.8, 0.2], [0.8, 0.2], [0.8, 0.2]])
    >>> task = Calibration((x, np.array([0, 0, 0, 0, 1])))
    >>> round(task.measure(task.predict(model))["ece"], 6)
    0.0

    Reference:
        Guo et al., 2017, "On calibration of modern neural networks".
    """

    kind = "calibration"
    category = "uncertainty"
    headline = "ece"
    scored = ("ece",)

    def measure(self, evidence: Evidence) -> dict[str, float]:
        test = evidence["test"]
        ece, mce = calibration_gaps(test)
        return {
            "ece": ece,
            "mce": mce,
            "nll": float(test["nll"].mean()),
            "brier": float(test["brier"].mean()),
        }

    def curves(self, evidence: Evidence) -> dict[str, Any]:
        test = evidence["test"]
        confidence, right = test["confidence"], test["right"]
        edges = (np.arange(1, NUM_BINS) / NUM_BINS).astype(confidence.dtype)
        index = np.searchsorted(edges, confidence, side="right")
        weight, sum_confidence, sum_right = [
            np.bincount(index, values, minlength=NUM_BINS)
            for values in (np.ones(len(test)), confidence, right)
        ]
        filled = np.maximum(weight, 1)
        return {
            "reliability": {
                "weight": weight.tolist(),
                "confidence": (sum_confidence / filled).tolist(),
                "accuracy": (sum_right / filled).tolist(),
            }
        }


def calibration_gaps(examples: Examples) -> tuple[float, float]:
    """The expected and the maximum calibration error."""
    confidence = examples["confidence"]
    weight, gaps = even_bins(
        confidence,
        confidence,
        examples["right"],
        np.ones(len(examples)),
        NUM_BINS,
    )
    return float(np.average(gaps, weights=weight)), float(gaps.max())


def forecast_measures(examples: Examples) -> dict[str, float]:
    """`accuracy`, `nll`, `ece` and `brier`."""
    return {
        "accuracy": float(examples["right"].mean()),
        "nll": float(examples["nll"].mean()),
        "ece": calibration_gaps(examples)[0],
        "brier": float(examples["brier"].mean()),
    }
