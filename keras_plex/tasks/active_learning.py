"""How many labels does the model need, if it may choose them?"""

import functools
import os
import time
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from keras_plex.batches import check_data
from keras_plex.checks import check_seed
from keras_plex.tables import lookup
from keras_plex.tasks.active.acquisitions import AXIS
from keras_plex.tasks.active.acquisitions import SELECTIONS
from keras_plex.tasks.active.acquisitions import Acquisition
from keras_plex.tasks.active.acquisitions import check_ensemble
from keras_plex.tasks.active.acquisitions import named_acquisitions
from keras_plex.tasks.active.adapt import Fit
from keras_plex.tasks.active.adapt import FitAdaptation
from keras_plex.tasks.active.adapt import ProbeAdaptation
from keras_plex.tasks.active.log import Round
from keras_plex.tasks.active.log import RoundLog
from keras_plex.tasks.active.log import read_labels
from keras_plex.tasks.active.rounds import Adaptation
from keras_plex.tasks.active.rounds import Budget
from keras_plex.tasks.active.rounds import checked_budget
from keras_plex.tasks.active.rounds import run_rounds
from keras_plex.tasks.arguments import check_positive
from keras_plex.tasks.arguments import with_name_of_set
from keras_plex.tasks.checks import classifier_kind
from keras_plex.tasks.collect import OnProgress
from keras_plex.tasks.data_set import DataSet
from keras_plex.tasks.examples import Evidence
from keras_plex.tasks.examples import Examples
from keras_plex.tasks.few_shot.features import check_output_layer
from keras_plex.tasks.resume.values import describe_value
from keras_plex.tasks.task import Task
from keras_plex.types import Config
from keras_plex.types import Data


class ActiveLearning(Task):
    """Adapts the model to examples that it chooses; how soon is it good?

    It begins with a few labelled examples of each class, adapts, asks for the
    labels of those that an acquisition rates highest, and adapts anew, until
    the budget is spent. Labels of `pool` count as unknown until asked for.

    By default a logistic regression on the model's features is fitted, as in
    `FewShotLearning` with `l2=1`: a round takes a moment, and the features are
    read once. With `fit` you train a copy of the whole model in each round. The
    model itself stays as it is.

    For each acquisition there are `margin/40/accuracy`, after 40 labels, and
    `margin/aubc`, the area under the curve of accuracy against labels, as a
    share of the budget: the mean accuracy on the way. `aubc` is that of the
    first acquisition; compare it with that of `"uniform"`, which chooses at
    random. The intervals are those of other test examples.

    Args:
        pool: labelled data `(x, y)`, or batches of them in a fixed order.
        test: labelled data of the same classes.
        acquisition: a key of `ACQUISITIONS`, a function from `Predictions` to
            `(examples,)`, higher = label next, or a list of these, which are
            compared. Defaults to `("margin", "uniform")`.
        initial: how many labels at first, evenly from all classes. Defaults to
            2 for each class.
        budget: how many at last. Defaults to 20 for each class, or the pool.
        batch: how many more in each round. Defaults to 2 for each class.
        selection: `"top"`, the highest, or `"power"`, drawn with chances like
            the scores. Defaults to `"top"`.
        fit: `None`, or a function `(copy, x, y) -> model` that trains a copy of
            the model, compiled like it, on all labelled examples, whose labels
            are as `pool` has them.
        seed: of the first examples, of ties and of `"power"`. Defaults to `0`.
        directory: where finished rounds are kept, so that a killed run goes on
            with the next; a run with other settings, data or another `fit`
            is refused. Defaults to `None`: nowhere.
        name: what the results are called. Defaults to `"active_learning"`.

    Example:

    >>> layers = [keras.layers.Dense(8, "relu"), keras.layers.Dense(2)]
    >>> model = keras.Sequential([keras.Input((3,)), *layers])
    >>> y = np.arange(60) % 3
    >>> x = np.eye(3)[y] + np.random.default_rng(0).normal(0, 0.1, (60, 3))
    >>> task = ActiveLearning((x, y), (x, y), acquisition="margin", budget=18)
    >>> sorted(task.measure(task.predict(model)))
    ['aubc', 'margin/12/accuracy', 'margin/18/accuracy', 'margin/6/accuracy',
     'margin/aubc']

    Reference:
        Settles, 2009, "Active learning literature survey".
    """

    kind = "active_learning"
    category = "adaptation"
    headline = "aubc"
    scored = ("aubc",)

    def __init__(
        self,
        pool: Data,
        test: Data,
        *,
        acquisition: str | Acquisition | Sequence[str | Acquisition] = (
            "margin",
            "uniform",
        ),
        initial: int | None = None,
        budget: int | None = None,
        batch: int | None = None,
        selection: str = "top",
        fit: Fit | None = None,
        seed: int = 0,
        directory: str | os.PathLike | None = None,
        name: str | None = None,
    ):
        super().__init__(name=name)
        self.acquisitions = named_acquisitions(acquisition)
        check_positive(initial=initial, budget=budget, batch=batch)
        lookup(SELECTIONS, selection, "selection")
        check_seed(seed)
        if fit is not None and not callable(fit):
            raise ValueError(
                "`fit` must be a function `(copy, x, y) -> model`. "
                f"Received: fit={fit!r}"
            )
        for data, argument in ((pool, "pool"), (test, "test")):
            check_data(data, argument)
        self.pool = DataSet(pool)
        self.test = DataSet(test)
        self.initial, self.budget, self.batch = initial, budget, batch
        self.selection = selection
        self.fit = fit
        self.seed = seed or 0
        self.directory = directory

    def data_sets(self) -> dict[str, DataSet]:
        return {"pool": self.pool, "test": self.test}

    def settings(self) -> Config:
        return {k: v for k, v in vars(self).items() if k != "directory"}

    def predict(
        self,
        model: keras.Model,
        *,
        batch_size: int = 32,
        max_examples: int | None = None,
        on_progress: OnProgress | None = None,
    ) -> Evidence:
        self._check_model(model)
        start = time.perf_counter()
        labels, fingerprints = self._read(batch_size, max_examples)
        budget = checked_budget(
            self.initial, self.budget, self.batch, labels["pool"]
        )
        log = RoundLog(
            self.directory, model, self._run_settings(budget) | fingerprints
        )
        adaptation = self._adaptation(
            model,
            labels,
            batch_size=batch_size,
            max_examples=max_examples,
            on_progress=on_progress,
        )
        sets = {}
        for name, function in self.acquisitions.items():
            rounds = run_rounds(
                (name, function),
                adaptation,
                budget,
                log,
                selection=self.selection,
                seed=self.seed,
                on_round=functools.partial(
                    _tell, on_progress, f"{self.name}: {name}", budget.budget
                ),
            )
            sets |= {f"{name}/{len(x.labelled)}": _examples(x) for x in rounds}
        num_classes = len(np.unique(labels["pool"]))
        return Evidence(sets, num_classes, time.perf_counter() - start)

    def _check_model(self, model: keras.Model) -> None:
        classifier_kind(model)
        if self.fit is None:
            check_output_layer(model)
            for name in self.acquisitions:
                check_ensemble(name, getattr(model, "ensemble_size", 1))

    def _read(
        self, batch_size: int, max_examples: int | None
    ) -> tuple[dict[str, np.ndarray], dict[str, str]]:
        """Labels and fingerprints of the data sets, by name."""
        labels, fingerprints = {}, {}
        for name, data_set in self.data_sets().items():
            labels[name], fingerprints[name] = with_name_of_set(
                f"{self.name}: {name}",
                read_labels,
                data_set,
                batch_size,
                max_examples,
            )
        return labels, fingerprints

    def _run_settings(self, budget: Budget) -> Config:
        """What all rounds depend on, whatever the acquisition."""
        if self.directory is None:
            return {}
        return {
            **budget._asdict(),
            "selection": self.selection,
            "seed": self.seed,
            "fit": describe_value(self.fit, "`fit`"),
        }

    def _adaptation(
        self,
        model: keras.Model,
        labels: dict[str, np.ndarray],
        *,
        on_progress: OnProgress | None,
        **options: Any,
    ) -> Adaptation:
        if self.fit is not None:
            return FitAdaptation(
                model, self.fit, self.data_sets(), labels, **options
            )
        return ProbeAdaptation(
            model,
            self.data_sets(),
            labels,
            self.name,
            on_progress=on_progress,
            **options,
        )

    def measure(self, evidence: Evidence) -> dict[str, float]:
        each = {}
        found: dict[str, float] = {}
        for name in self.acquisitions:
            labels, accuracy = _curve(evidence, name)
            each[name] = _area(labels, accuracy)
            found[f"{name}/aubc"] = each[name]
            for count, value in zip(labels, accuracy, strict=True):
                found[f"{name}/{count}/accuracy"] = value
        first = next(iter(self.acquisitions))
        return {"aubc": each[first]} | found

    def curves(self, evidence: Evidence) -> dict[str, Any]:
        curves = {name: _curve(evidence, name)[1] for name in self.acquisitions}
        labels, _ = _curve(evidence, next(iter(self.acquisitions)))
        return {"active_learning": {AXIS: labels, **curves}}


def _examples(one: Round) -> Examples:
    columns = {name: np.array(column) for name, column in one.columns.items()}
    return Examples(columns, drawn_with="test")


def _tell(
    on_progress: OnProgress | None, where: str, budget: int, count: int
) -> None:
    if on_progress is not None:
        on_progress(where, count, budget)


def _curve(
    evidence: Evidence, acquisition: str
) -> tuple[list[int], list[float]]:
    """How many labels, and the accuracy with these."""
    sets = {
        int(name.rpartition("/")[2]): examples
        for name, examples in evidence.sets.items()
        if name.rpartition("/")[0] == acquisition
    }
    return list(sets), [float(one["right"].mean()) for one in sets.values()]


def _area(labels: list[int], accuracy: list[float]) -> float:
    if len(labels) == 1:
        return accuracy[0]
    return float(np.trapezoid(accuracy, labels) / (labels[-1] - labels[0]))
