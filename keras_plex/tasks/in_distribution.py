"""How good is the forecast where it should be?"""

from typing import Any

import numpy as np

from keras_plex.tasks.calibration import forecast_measures
from keras_plex.tasks.examples import Evidence
from keras_plex.tasks.one_set_task import OneSetTask

EDGES = np.linspace(0.0, 1.0, 21)


class InDistribution(OneSetTask):
    """Accuracy and proper scores on data like those of the training.

    Measures: `accuracy`, `nll`, `ece`, `brier`. A soft label counts as right
    by the share that it gives to the predicted class.

    Args:
        test: labelled data: arrays `(x, y)`, or batches of them.
        name: what the results are called. Defaults to `"in_distribution"`.

    Example:

    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Softmax()])
    >>> x = np.array([[4.0, 0.0], [0.0, 2.0], [1.0, 0.0], [3.0, 1.0]])
    >>> task = InDistribution((x, np.array([0, 1, 1, 0])))
    >>> task.measure(task.predict(model))["accuracy"]
    0.75
    """

    kind = "in_distribution"
    category = "robust generalization"
    headline = "accuracy"
    scored = ("accuracy", "nll")

    def measure(self, evidence: Evidence) -> dict[str, float]:
        return forecast_measures(evidence["test"])

    def curves(self, evidence: Evidence) -> dict[str, Any]:
        test = evidence["test"]
        right, confidence = test["right"], test["confidence"]
        return {
            "confidence": {
                "edges": EDGES.tolist(),
                "right": _shares(confidence, right),
                "wrong": _shares(confidence, 1.0 - right),
            }
        }


def _shares(confidence: np.ndarray, weight: np.ndarray) -> list[float]:
    """The share of the weight that lies in each bin."""
    counts, _ = np.histogram(confidence, EDGES, weights=weight)
    return (counts / (weight.sum() or 1.0)).tolist()
