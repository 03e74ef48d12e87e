"""What is left when inputs change and labels do not?"""

from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_plex.data.corruptions.corrupt_images import IMAGE_CORRUPTIONS
from keras_plex.data.corruptions.corrupt_images import check_value_range
from keras_plex.data.corruptions.corrupt_texts import TEXT_CORRUPTIONS
from keras_plex.data.corruptions.severities import check_severity
from keras_plex.metrics.mean_corruption_error import ALEXNET_ERRORS
from keras_plex.metrics.mean_corruption_error import mean_corruption_error
from keras_plex.tables import lookup
from keras_plex.tasks.arguments import named_sets
from keras_plex.tasks.calibration import forecast_measures
from keras_plex.tasks.data_set import Corruption
from keras_plex.tasks.data_set import DataSet
from keras_plex.tasks.examples import Evidence
from keras_plex.tasks.severities import ALL_SEVERITIES
from keras_plex.tasks.severities import by_shift
from keras_plex.tasks.severities import is_complete
from keras_plex.tasks.severities import split_severity
from keras_plex.tasks.task import Task
from keras_plex.types import Data

CLEAN = "clean"


class CovariateShift(Task):
    """Accuracy and calibration on shifted inputs with the same labels.

    `accuracy`, `nll`, `ece` and `brier` are means over the shifts, of each
    shift first over its severities; `accuracy_drop` is the clean accuracy less
    that. Beside these `clean/accuracy` and so on, and `SHIFT/accuracy` or
    `SHIFT/SEVERITY/accuracy`.

    Where all fifteen corruptions of ImageNet-C are among the shifts, in all
    severities, there is `mean_corruption_error` as well: the error under each,
    divided by AlexNet's under the same on ImageNet-C, and then the mean. On
    ImageNet-C it is the mCE of the literature. On other data AlexNet's errors
    are mere weights, which let hard corruptions count no more than easy ones:
    compare it for the same data only. The plain mean error is `1 - accuracy`,
    if there are no other shifts.

    Args:
        test: labelled data that are not shifted: `(x, y)`, or batches of them.
        shifted: dict from name to labelled data. `"fog/1"` to `"fog/5"` are
            severities of one shift, `"fog"`.
        corruptions: keys of `IMAGE_CORRUPTIONS` or of `TEXT_CORRUPTIONS`, to be
            applied to `test` batch by batch. Each copy of an image or text is
            drawn together with the others in a bootstrap.
        severities: of `corruptions`. Defaults to `(1, 2, 3, 4, 5)`.
        value_range: black and white of float images that `corruptions` are
            applied to. Defaults to `(0, 1)`.
        name: what the results are called. Defaults to `"covariate_shift"`.

    Example:

    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Softmax()])
    >>> x, y = np.array([[4.0, 0.0], [0.0, 1.0]]), np.array([0, 1])
    >>> task = CovariateShift((x, y), {"brighter": (x + [2.0, 0.0], y)})
    >>> measured = task.measure(task.predict(model))
    >>> measured["brighter/accuracy"], measured["accuracy_drop"]
    (0.5, 0.5)

    Reference:
        Hendrycks and Dietterich, 2019, "Benchmarking neural network robustness
        to common corruptions and perturbations".
    """

    kind = "covariate_shift"
    category = "robust generalization"
    headline = "accuracy"
    scored = ("accuracy", "nll", "ece")

    def __init__(
        self,
        test: Data,
        shifted: Mapping[str, Data] | None = None,
        *,
        corruptions: Sequence[str] = (),
        severities: Sequence[int] = ALL_SEVERITIES,
        value_range: tuple[float, float] | None = None,
        name: str | None = None,
    ):
        super().__init__(name=name)
        shifted = named_sets(shifted, "shifted")
        corruptions = _checked_corruptions(corruptions, severities)
        if not shifted and not corruptions:
            raise ValueError(
                "A shift needs shifted data: pass "
                '`shifted={"name": (x, y)}` or `corruptions=("fog", ...)`. '
                "Received: neither"
            )
        _check_no_option_is_ignored(corruptions, severities, value_range)
        # Shift -> its sets, one for each severity.
        self.shifts = by_shift(shifted)
        both = {CLEAN, *corruptions} & {*self.shifts}
        if both:
            raise ValueError(
                f"`shifted` must not be called as a corruption or {CLEAN!r}. "
                f"Received: {sorted(both)}"
            )
        if value_range is not None:
            value_range = check_value_range(value_range)
        self.test = DataSet(test, drawn_with=CLEAN)
        self.shifted = {name: DataSet(data) for name, data in shifted.items()}
        for corruption in corruptions:
            self.shifts[corruption] = []
            for severity in severities:
                where = f"{corruption}/{severity}"
                self.shifts[corruption].append(where)
                self.shifted[where] = DataSet(
                    test,
                    corruption=Corruption(corruption, severity, value_range),
                    drawn_with=CLEAN,
                )
        self.has_all_corruptions = all(
            is_complete(corruption, self.shifts.get(corruption, ()))
            for corruption in {*ALEXNET_ERRORS} - {CLEAN}
        )

    def data_sets(self) -> dict[str, DataSet]:
        return {CLEAN: self.test, **self.shifted}

    def measure(self, evidence: Evidence) -> dict[str, float]:
        each = {
            name: forecast_measures(examples)
            for name, examples in evidence.sets.items()
        }
        means = {
            measure: float(
                np.mean(
                    [
                        np.mean([each[name][measure] for name in names])
                        for names in self.shifts.values()
                    ]
                )
            )
            for measure in each[CLEAN]
        }
        if self.has_all_corruptions:
            means["mean_corruption_error"] = mean_corruption_error(
                {
                    name: [1.0 - min(each[x]["accuracy"], 1.0) for x in names]
                    for name, names in self.shifts.items()
                    if name in ALEXNET_ERRORS
                }
            )
        drop = each[CLEAN]["accuracy"] - means["accuracy"]
        return {
            **means,
            "accuracy_drop": drop,
            **{
                f"{name}/{measure}": value
                for name, measured in each.items()
                for measure, value in measured.items()
            },
        }

    def curves(self, evidence: Evidence) -> dict[str, Any]:
        severities, shifted = {}, [CLEAN]
        for shift, names in self.shifts.items():
            if shift in self.shifted:
                shifted.append(shift)
            else:
                severities[shift] = self._by_severity(evidence, names)
        accuracies = {
            "names": shifted,
            "weight": [len(evidence[name]) for name in shifted],
            "accuracy": [
                float(evidence[name]["right"].mean()) for name in shifted
            ],
        }
        return {
            **({"severities": severities} if severities else {}),
            **({"shifted": accuracies} if len(shifted) > 1 else {}),
        }

    def _by_severity(
        self, evidence: Evidence, names: Sequence[str]
    ) -> dict[str, list[float]]:
        """Severities, 0 for clean, and what is measured at each."""
        order = [0, *(split_severity(name)[1] for name in names)]
        measured = [
            forecast_measures(evidence[name]) for name in (CLEAN, *names)
        ]
        ranks = np.argsort(order)
        return {
            "severity": [order[i] for i in ranks],
            **{
                measure: [measured[i][measure] for i in ranks]
                for measure in ("accuracy", "nll", "ece")
            },
        }


def _check_no_option_is_ignored(
    corruptions: Sequence[str],
    severities: Sequence[int],
    value_range: tuple[float, float] | None,
) -> None:
    if not corruptions and tuple(severities) != ALL_SEVERITIES:
        raise ValueError(
            "`severities` are those of `corruptions`, which are missing. Name "
            'sets of your own `"fog/1"`, `"fog/2"` and so on. '
            f"Received: severities={severities}"
        )
    if value_range is not None and not {*corruptions} & {*IMAGE_CORRUPTIONS}:
        raise ValueError(
            "`value_range` is that of images which `corruptions` are applied "
            f"to. Received: value_range={value_range}, "
            f"corruptions={corruptions}"
        )


def _checked_corruptions(
    corruptions: Sequence[str], severities: Sequence[int]
) -> tuple[str, ...]:
    if isinstance(corruptions, str):
        raise ValueError(
            "`corruptions` must be a list of names. "
            f"Received: corruptions={corruptions!r}; did you mean "
            f"({corruptions!r},)?"
        )
    corruptions = tuple(corruptions)
    for name in corruptions:
        lookup({**IMAGE_CORRUPTIONS, **TEXT_CORRUPTIONS}, name, "corruption")
    if not isinstance(severities, Sequence) or not severities:
        raise ValueError(
            "`severities` must be a list of numbers from 1 to 5. "
            f"Received: severities={severities!r}"
        )
    for severity in severities:
        check_severity(severity)
    if len(set(severities)) < len(severities):
        raise ValueError(
            "`severities` must differ. "
            f"Received: severities={tuple(severities)}"
        )
    return corruptions
