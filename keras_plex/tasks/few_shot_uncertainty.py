"""Does a model that saw a few examples know how little it knows?"""

from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_plex.metrics.ranking import auroc
from keras_plex.metrics.selective_prediction import calibration_auc
from keras_plex.tasks.arguments import named_sets
from keras_plex.tasks.calibration import calibration_gaps
from keras_plex.tasks.examples import Evidence
from keras_plex.tasks.few_shot.few_shot_task import SHOTS
from keras_plex.tasks.few_shot.few_shot_task import FewShotTask
from keras_plex.types import Data


class FewShotUncertainty(FewShotTask):
    """Fits the probes of `FewShotLearning`; do they know when they are wrong?

    | measure, for each of `shots` | |
    |---|---|
    | `10_shot/ece` | expected calibration error, 15 bins |
    | `10_shot/nll` | proper score |
    | `10_shot/calibration_auc` | of finding the errors; NaN if there are none |
    | `10_shot/NAME/auroc` | of telling unknown classes by the probe's "msp" |
    | `0_shot/NAME/auroc` | the same without a label |

    `ece`, `nll`, `calibration_auc` and `auroc` are means over the shots, one
    shot left out. With no label there is no forecast of the new classes; there
    the score is the Mahalanobis distance of the features to one Gaussian
    around the examples of the most shots, whose labels are not used.

    Args:
        train: labelled data, of which the examples are taken: `(x, y)`, or
            batches of them; at least `max(shots)` of each class.
        test: labelled data of the same classes.
        ood: dict from name to data of unknown classes. Defaults to none.
        shots: how many examples of each class. Defaults to `(1, 5, 10, 25)`.
        l2: penalty of the regressions; see `FewShotLearning`.
        seed: of the choice of examples; see `FewShotLearning`.
        name: what the results are called. Defaults to
            `"few_shot_uncertainty"`.

    Example:

    >>> layers = [keras.layers.Dense(8, "relu"), keras.layers.Dense(2)]
    >>> model = keras.Sequential([keras.Input((3,)), *layers])
    >>> y = np.arange(40) % 2
    >>> x = np.eye(3)[y] + np.random.default_rng(0).normal(0, 0.1, (40, 3))
    >>> unknown = {"third": np.eye(3)[[2, 2]]}
    >>> task = FewShotUncertainty((x, y), (x, y), unknown, shots=(1, 10))
    >>> measured = task.measure(task.predict(model))
    >>> measured["0_shot/third/auroc"] > 0.9
    True

    Reference:
        Tran et al., 2022, "Plex: towards reliability using pretrained large
        model extensions".
    """

    kind = "few_shot_uncertainty"
    headline = "10_shot/nll"
    scored = ("ece", "calibration_auc")

    def __init__(
        self,
        train: Data,
        test: Data,
        ood: Mapping[str, Data] | None = None,
        *,
        shots: Sequence[int] = SHOTS,
        l2: float | None = None,
        seed: int | None = None,
        name: str | None = None,
    ):
        ood = named_sets(ood, "ood")
        super().__init__(
            train, test, ood=ood, shots=shots, l2=l2, seed=seed, name=name
        )
        self.headline = f"{self.headline_shots}_shot/nll"
        if ood:
            self.scored = (*self.scored, "auroc")

    def measure(self, evidence: Evidence) -> dict[str, float]:
        each = {shots: self._measure(evidence, shots) for shots in self.shots}
        averaged = [each[shots] for shots in self.averaged_shots]
        zero_shot = self._rank(evidence, 0, "score/mahalanobis")
        return {
            **_means(averaged),
            **{f"0_shot/{name}/auroc": x for name, x in zero_shot.items()},
            **{
                f"{shots}_shot/{measure}": value
                for shots, measured in each.items()
                for measure, value in measured.items()
            },
        }

    def curves(self, evidence: Evidence) -> dict[str, Any]:
        each = [self._measure(evidence, shots) for shots in self.shots]
        return {
            "few_shot": {
                "shots": list(self.shots),
                **{name: [one[name] for one in each] for name in each[0]},
            }
        }

    def _measure(self, evidence: Evidence, shots: int) -> dict[str, float]:
        test = evidence[f"{shots}_shot"]
        wrong = 1.0 - test["right"]
        has_both = 0 < wrong.sum() < len(wrong)
        measured = {
            "ece": calibration_gaps(test)[0],
            "nll": float(test["nll"].mean()),
            "calibration_auc": (
                calibration_auc(wrong, test["uncertainty"])
                if has_both
                else np.nan
            ),
        }
        ranked = self._rank(evidence, shots, "score/msp")
        if ranked:
            measured["auroc"] = float(np.mean(list(ranked.values())))
        return measured | {f"{k}/auroc": value for k, value in ranked.items()}

    def _rank(
        self, evidence: Evidence, shots: int, column: str
    ) -> dict[str, float]:
        found = {}
        for name in self.ood:
            known = evidence[f"{shots}_shot"][column]
            unknown = evidence[f"{shots}_shot/{name}"][column]
            is_ood = np.arange(len(known) + len(unknown)) >= len(known)
            found[name] = auroc(np.concatenate([known, unknown]), is_ood)
        return found


def _means(each: Sequence[dict[str, float]]) -> dict[str, float]:
    """Of the measures that name no set; NaN where all are."""
    found = {}
    for name in each[0]:
        values = np.array([one[name] for one in each])
        values = values[np.isfinite(values)]
        if "/" not in name:
            found[name] = float(values.mean()) if len(values) else np.nan
    return found
