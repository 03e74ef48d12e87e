"""How well are the features suited to a new task?"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_plex.tasks.examples import Evidence
from keras_plex.tasks.few_shot.few_shot_task import SHOTS
from keras_plex.tasks.few_shot.few_shot_task import FewShotTask
from keras_plex.types import Data

MEASURED = ("accuracy", "nll")


class FewShotLearning(FewShotTask):
    """Fits linear probes to a few examples of each class; how good are they?

    The model stays as it is: its features, the inputs of its output layer, are
    standardised and given to a logistic regression, one for each member, whose
    probabilities are averaged. The classes are those of `train`, be they the
    model's or not.

    For each of `shots` there are `10_shot/accuracy` and `10_shot/nll`;
    `accuracy` and `nll` are means over the shots, one shot left out, as its
    example decides too much. The intervals are those of other test examples;
    other training examples would change the numbers, too.

    Args:
        train: labelled data, of which the examples are taken: `(x, y)`, or
            batches of them; at least `max(shots)` of each class.
        test: labelled data of the same classes.
        shots: how many examples of each class. Defaults to `(1, 5, 10, 25)`.
        l2: penalty of the regressions: `sum of NLL + l2 / 2 * sum of squared
            weights`. Defaults to `None`: cross-validation among the examples of
            each shot count; 1 for a single shot.
        seed: `None` takes the first examples of each class; an int draws them,
            for data in an order that tells something. Defaults to `None`.
        name: what the results are called. Defaults to `"few_shot_learning"`.

    Example:

    >>> layers = [keras.layers.Dense(8, "relu"), keras.layers.Dense(2)]
    >>> model = keras.Sequential([keras.Input((3,)), *layers])
    >>> y = np.arange(40) % 3
    >>> x = np.eye(3)[y] + np.random.default_rng(0).normal(0, 0.1, (40, 3))
    >>> task = FewShotLearning((x, y), (x, y), shots=(1, 10))
    >>> measured = task.measure(task.predict(model))
    >>> measured["10_shot/accuracy"] > 0.9
    True

    Reference:
        Tran et al., 2022, "Plex: towards reliability using pretrained large
        model extensions".
    """

    kind = "few_shot_learning"
    headline = "10_shot/accuracy"
    scored = MEASURED

    def __init__(
        self,
        train: Data,
        test: Data,
        *,
        shots: Sequence[int] = SHOTS,
        l2: float | None = None,
        seed: int | None = None,
        name: str | None = None,
    ):
        super().__init__(
            train, test, ood={}, shots=shots, l2=l2, seed=seed, name=name
        )
        self.headline = f"{self.headline_shots}_shot/accuracy"

    def measure(self, evidence: Evidence) -> dict[str, float]:
        each = {shots: _measure(evidence, shots) for shots in self.shots}
        return {
            measure: float(
                np.mean([each[x][measure] for x in self.averaged_shots])
            )
            for measure in MEASURED
        } | {
            f"{shots}_shot/{measure}": value
            for shots, measured in each.items()
            for measure, value in measured.items()
        }

    def curves(self, evidence: Evidence) -> dict[str, Any]:
        each = [_measure(evidence, shots) for shots in self.shots]
        return {
            "few_shot": {
                "shots": list(self.shots),
                **{name: [one[name] for one in each] for name in MEASURED},
            }
        }


def _measure(evidence: Evidence, shots: int) -> dict[str, float]:
    test = evidence[f"{shots}_shot"]
    return {
        "accuracy": float(test["right"].mean()),
        "nll": float(test["nll"].mean()),
    }
