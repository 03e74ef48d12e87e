"""Is the model unsure where people disagree?"""

import functools
from typing import Any

import numpy as np
from scipy import stats

from keras_plex.tasks.data_set import DataSet
from keras_plex.tasks.examples import Evidence
from keras_plex.tasks.one_set_task import OneSetTask

CURVE_POINTS = 400


class LabelUncertainty(OneSetTask):
    """How near forecasts come to the distribution of annotators' labels.

    | measure | |
    |---|---|
    | `kl` | divergence of the forecast from the annotators |
    | `nll`, `brier` | of the soft labels |
    | `accuracy` | mean share of annotators who agree with the prediction |
    | `entropy_correlation` | Spearman's; NaN where all entropies are equal |

    Args:
        test: `(x, soft_labels)` or batches of them; `soft_labels` are
            `(examples, classes)`, each row sums to one.
        name: what the results are called. Defaults to `"label_uncertainty"`.

    Example:

    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Softmax()])
    >>> annotators = np.array([[0.5, 0.5], [0.9, 0.1]])
    >>> task = LabelUncertainty((np.log(annotators), annotators))
    >>> measured = task.measure(task.predict(model))
    >>> abs(round(measured["kl"], 6)), measured["accuracy"]
    (0.0, 0.7)

    Reference:
        Peterson et al., 2019, "Human uncertainty makes classification more
        robust".
    """

    kind = "label_uncertainty"
    category = "uncertainty"
    headline = "kl"
    scored = ("kl",)
    read_as = staticmethod(functools.partial(DataSet, needs_soft_labels=True))

    def measure(self, evidence: Evidence) -> dict[str, float]:
        test = evidence["test"]
        entropies = test["entropy"], test["label_entropy"]
        is_flat = any(np.ptp(values) == 0 for values in entropies)
        return {
            "kl": float(test["kl"].mean()),
            "nll": float(test["nll"].mean()),
            "brier": float(test["brier"].mean()),
            "accuracy": float(test["right"].mean()),
            "entropy_correlation": (
                np.nan
                if is_flat
                else float(stats.spearmanr(*entropies).statistic)
            ),
        }

    def curves(self, evidence: Evidence) -> dict[str, Any]:
        test = evidence["test"]
        count = min(len(test), CURVE_POINTS)
        kept = np.linspace(0, len(test) - 1, count).astype(int)
        return {
            "entropies": {
                "annotators": test["label_entropy"][kept].tolist(),
                "forecast": test["entropy"][kept].tolist(),
            }
        }
