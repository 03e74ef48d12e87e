"""What the few-shot tasks share: a probe of the features for each shot."""

import functools
import time
from collections.abc import Sequence

import keras
import numpy as np
from keras import ops

from keras_plex.batches import check_data
from keras_plex.batches import is_arrays
from keras_plex.checks import check_seed
from keras_plex.checks import is_positive_integer
from keras_plex.scores import score
from keras_plex.scores.labels import class_indices
from keras_plex.tasks.checks import classifier_kind
from keras_plex.tasks.collect import OnProgress
from keras_plex.tasks.columns import forecast_columns
from keras_plex.tasks.columns import value_metrics
from keras_plex.tasks.data_set import DataSet
from keras_plex.tasks.examples import Evidence
from keras_plex.tasks.examples import Examples
from keras_plex.tasks.few_shot.features import Features
from keras_plex.tasks.few_shot.features import check_output_layer
from keras_plex.tasks.few_shot.features import extract_features
from keras_plex.tasks.few_shot.features import share
from keras_plex.tasks.few_shot.probe import check_l2
from keras_plex.tasks.few_shot.probe import fit_probe
from keras_plex.tasks.few_shot.support import as_targets
from keras_plex.tasks.few_shot.support import check_shots
from keras_plex.tasks.few_shot.support import collect_support
from keras_plex.tasks.few_shot.support import ranks_in_classes
from keras_plex.tasks.task import Task
from keras_plex.types import Data

SHOTS = (1, 5, 10, 25)
HEADLINE_SHOTS = 10


class FewShotTask(Task):
    """Base of the few-shot tasks: fits a linear probe for each shot count.

    For each the evidence has a set `"10_shot"` of the test examples, and
    `"10_shot/NAME"` of each set of unknown classes; with such sets also those
    of `"0_shot"`, which no label was needed for.

    Args:
        train: labelled data that the examples are taken from.
        test: labelled data of the same classes.
        ood: dict from name to data of unknown classes.
        shots: examples of each class.
        l2: penalty of the probes.
        seed: of the choice of examples.
        name: what the results are called.
    """

    category = "adaptation"

    def __init__(
        self,
        train: Data,
        test: Data,
        *,
        ood: dict[str, Data],
        shots: Sequence[int],
        l2: float | None,
        seed: int | None,
        name: str | None,
    ):
        super().__init__(name=name)
        self.shots = _checked_shots(shots)
        check_l2(l2)
        check_seed(seed)
        for data, argument in ((train, "train"), (test, "test")):
            check_data(data, argument)
        _check_arrays(train, max(self.shots))
        self.train = DataSet(train)
        self.test = DataSet(test)
        self.ood = {
            name: DataSet(data, needs_labels=False)
            for name, data in ood.items()
        }
        self.l2 = l2
        self.seed = seed

    @property
    def headline_shots(self) -> int:
        """10, or the most where these are fewer."""
        fitting = [shots for shots in self.shots if shots <= HEADLINE_SHOTS]
        return max(fitting, default=min(self.shots))

    @property
    def averaged_shots(self) -> tuple[int, ...]:
        """All but one, whose example decides too much, if there are others."""
        return tuple(x for x in self.shots if x > 1) or self.shots

    def data_sets(self) -> dict[str, DataSet]:
        ood = {f"ood/{name}": one for name, one in self.ood.items()}
        return {"train": self.train, "test": self.test, **ood}

    def predict(
        self,
        model: keras.Model,
        *,
        batch_size: int = 32,
        max_examples: int | None = None,
        on_progress: OnProgress | None = None,
    ) -> Evidence:
        classifier_kind(model)
        check_output_layer(model)
        options = {
            "batch_size": batch_size,
            "max_examples": max_examples,
            "on_progress": on_progress,
        }
        support = collect_support(
            model,
            self.train,
            f"{self.name}: train",
            shots=max(self.shots),
            seed=self.seed,
            **options,
        )
        found = {
            name: extract_features(
                model, data_set, f"{self.name}: {name}", **options
            )
            for name, data_set in self.data_sets().items()
            if name != "train"
        }
        start = time.perf_counter()
        sets = self._probe(support, found)
        seconds = time.perf_counter() - start
        passes = (support, *found.values())
        return Evidence(
            sets,
            num_classes=len(np.unique(support.labels)),
            seconds=seconds + sum(one.seconds for one in passes),
        )

    def _probe(
        self, support: Features, found: dict[str, Features]
    ) -> dict[str, Examples]:
        classes = np.unique(support.labels)
        targets = as_targets(support.labels, classes, "train")
        test = as_targets(found["test"].labels, classes, "test")
        ranks, metrics, sets = ranks_in_classes(targets), value_metrics(), {}
        if self.ood:
            sets |= _unlabelled(support, found)
        for shots in self.shots:
            rows = ranks < shots
            probe = share(
                (id(support.values), "probe", shots, self.l2),
                functools.partial(
                    fit_probe, support.values[rows], targets[rows], l2=self.l2
                ),
            )
            for name, features in found.items():
                predictions = probe.predict(features.values)
                labels = test if name == "test" else None
                columns = forecast_columns(predictions, labels, metrics)
                if self.ood:
                    columns["score/msp"] = np.asarray(score("msp")(predictions))
                sets[_set_name(shots, name)] = Examples(
                    columns, drawn_with=name
                )
        return sets


def _unlabelled(
    support: Features, found: dict[str, Features]
) -> dict[str, Examples]:
    """The distance to one Gaussian around all the support, without labels."""
    distance = score("mahalanobis")
    distance.update(support.values, np.zeros(len(support.values), "int64"))
    distance.finish()
    return {
        _set_name(0, name): Examples(
            {"score/mahalanobis": distance(features.values)}, drawn_with=name
        )
        for name, features in found.items()
    }


def _set_name(shots: int, name: str) -> str:
    """`"10_shot"` of the test set, `"10_shot/NAME"` of another."""
    if name == "test":
        return f"{shots}_shot"
    return f"{shots}_shot/{name.removeprefix('ood/')}"


def _checked_shots(shots: Sequence[int]) -> tuple[int, ...]:
    if not isinstance(shots, Sequence) or isinstance(shots, str):
        raise ValueError(
            "`shots` must be a list of positive integers, as in (1, 5, 10). "
            f"Received: shots={shots!r}"
        )
    if not shots or not all(map(is_positive_integer, shots)):
        raise ValueError(
            "`shots` must hold positive integers. "
            f"Received: shots={tuple(shots)}"
        )
    return tuple(sorted(set(shots)))


def _check_arrays(train: Data, shots: int) -> None:
    """Finds at once what arrays lack; of other data it shows in the pass."""
    if not is_arrays(train):
        return
    if not isinstance(train, tuple) or len(train) < 2 or train[1] is None:
        raise ValueError(
            "`train` needs labels: pass `(x, y)`, or a data set of such "
            "batches. Received: x alone"
        )
    labels = ops.convert_to_numpy(train[1])
    check_shots(class_indices(labels, len(labels)), shots)
