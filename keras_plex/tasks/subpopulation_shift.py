"""Is a group left behind?"""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from keras_plex.tasks.data_set import grouped_arrays
from keras_plex.tasks.examples import Evidence
from keras_plex.tasks.examples import Examples
from keras_plex.tasks.one_set_task import OneSetTask

STATISTICS: dict[str, Callable[[np.ndarray], Any]] = {
    "worst": np.min,
    "p25": functools.partial(np.percentile, q=25),
    "median": np.median,
    "mean": np.mean,
}


class SubpopulationShift(OneSetTask):
    """What the accuracy is if the data come from one group alone.

    A model can be right on average and useless for some: clients, hospitals,
    cameras.

    | measure | |
    |---|---|
    | `accuracy_p25` | 25th percentile of the groups' accuracies |
    | `accuracy_worst`, `_median`, `_mean` | likewise |
    | `accuracy` | of all examples |
    | `accuracy_gap` | that less the worst |

    Args:
        test: `(x, y, groups)` or batches of them; for each example its group,
            a number or a name.
        name: what the results are called. Defaults to
            `"subpopulation_shift"`.

    Example:

    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Softmax()])
    >>> x, y = np.array([[4.0, 0.0], [0.0, 4.0], [4.0, 0.0]]), np.zeros(3)
    >>> task = SubpopulationShift((x, y, np.array(["a", "b", "a"])))
    >>> task.measure(task.predict(model))["accuracy_worst"]
    0.0

    Reference:
        Koh et al., 2021, "WILDS: a benchmark of in-the-wild distribution
        shifts".
    """

    kind = "subpopulation_shift"
    category = "robust generalization"
    headline = "accuracy_p25"
    scored = ("accuracy_p25",)
    read_as = staticmethod(grouped_arrays)

    def measure(self, evidence: Evidence) -> dict[str, float]:
        test = evidence["test"]
        _, _, accuracy = _by_group(test)
        measured = {
            f"accuracy_{name}": float(statistic(accuracy))
            for name, statistic in STATISTICS.items()
        }
        overall = float(test["right"].mean())
        return {
            **measured,
            "accuracy": overall,
            "accuracy_gap": overall - measured["accuracy_worst"],
        }

    def curves(self, evidence: Evidence) -> dict[str, Any]:
        names, weight, accuracy = _by_group(evidence["test"])
        return {
            "groups": {
                "names": [_text(name) for name in names.tolist()],
                "weight": weight.tolist(),
                "accuracy": accuracy.tolist(),
            }
        }


def _by_group(examples: Examples) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The groups that are there, how many examples each has, its accuracy."""
    names, index = np.unique(examples["group"], return_inverse=True)
    weight = np.bincount(index)
    return names, weight, np.bincount(index, examples["right"]) / weight


def _text(name: Any) -> str:
    return name.decode("utf-8") if isinstance(name, bytes) else str(name)
