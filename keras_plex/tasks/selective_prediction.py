"""Does the model know when it is wrong?"""

from typing import Any

import numpy as np

from keras_plex.metrics.selective_prediction import calibration_auc
from keras_plex.metrics.selective_prediction import (
    oracle_collaborative_accuracy,
)
from keras_plex.metrics.selective_prediction import risk_coverage_auc
from keras_plex.metrics.selective_prediction import risk_coverage_curve
from keras_plex.metrics.selective_prediction import selective_accuracy
from keras_plex.tasks.examples import Evidence
from keras_plex.tasks.one_set_task import OneSetTask

CURVE_POINTS = 101


class SelectivePrediction(OneSetTask):
    """What a model gains when it may leave out forecasts it is unsure of.

    | measure | |
    |---|---|
    | `aurc` | area under the risk-coverage curve |
    | `excess_aurc` | the same less that of a perfect order |
    | `calibration_auc` | of finding the errors; NaN if there are none |
    | `accuracy_at_80` | of the surest 80 % |
    | `accuracy_with_oracle` | if someone corrects the least sure 1 % |

    Args:
        test: labelled data: arrays `(x, y)`, or batches of them.
        name: what the results are called. Defaults to
            `"selective_prediction"`.

    Example:

    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Softmax()])
    >>> x = np.array([[4.0, 0.0], [0.0, 2.0], [1.0, 0.0]])
    >>> task = SelectivePrediction((x, np.array([0, 1, 1])))
    >>> task.measure(task.predict(model))["calibration_auc"]
    1.0

    Reference:
        Geifman and El-Yaniv, 2017, "Selective classification for deep neural
        networks".
    """

    kind = "selective_prediction"
    category = "uncertainty"
    headline = "aurc"
    scored = ("calibration_auc",)

    def measure(self, evidence: Evidence) -> dict[str, float]:
        wrong, doubt = _arrays(evidence)
        has_both = 0 < wrong.sum() < len(wrong)
        return {
            "aurc": risk_coverage_auc(wrong, doubt),
            "excess_aurc": risk_coverage_auc(wrong, doubt, excess=True),
            "calibration_auc": (
                calibration_auc(wrong, doubt) if has_both else np.nan
            ),
            "accuracy_at_80": selective_accuracy(wrong, doubt, coverage=0.8),
            "accuracy_with_oracle": oracle_collaborative_accuracy(
                wrong, doubt, fraction=0.01
            ),
        }

    def curves(self, evidence: Evidence) -> dict[str, Any]:
        curve = risk_coverage_curve(*_arrays(evidence))
        last = len(curve.coverage) - 1
        kept = np.linspace(0, last, min(CURVE_POINTS, last + 1)).round()
        kept = kept.astype(int)
        return {
            "risk_coverage": {
                "coverage": curve.coverage[kept].tolist(),
                "risk": curve.risk[kept].tolist(),
            }
        }


def _arrays(evidence: Evidence) -> tuple[np.ndarray, np.ndarray]:
    """Labels and forecasts of "the prediction is wrong"; see `columns.py`."""
    test = evidence["test"]
    return 1.0 - test["right"], test["uncertainty"]
