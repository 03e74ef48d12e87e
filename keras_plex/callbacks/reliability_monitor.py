"""Calibration and detection of unknown inputs, during `fit`."""

import dataclasses
import os
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence

import keras
import numpy as np

from keras_plex.batches import check_data
from keras_plex.callbacks.monitor_arguments import check_positive
from keras_plex.callbacks.monitor_arguments import known_scores
from keras_plex.callbacks.monitor_arguments import named_sets
from keras_plex.callbacks.monitor_arguments import with_name_of_set
from keras_plex.callbacks.monitor_backup import MonitorBackup
from keras_plex.models.classifiers import output_layer
from keras_plex.predictions import Predictions
from keras_plex.scores import DEFAULT_SCORES
from keras_plex.scores import Score
from keras_plex.scores import fit_scores
from keras_plex.scores import needs_features
from keras_plex.tasks.measurements import measure_forecasts
from keras_plex.tasks.measurements import measure_ranking
from keras_plex.tasks.measurements import predict_data
from keras_plex.types import Data


class ReliabilityMonitor(keras.callbacks.Callback):
    """Measures calibration and out-of-distribution detection in each epoch.

    Its values join the epoch's `logs`: put it *before* the callbacks that
    shall find them (`EarlyStopping("val_ece", mode="min")`, `ModelCheckpoint`,
    `CSVLogger`, `TensorBoard`). They are measured over whole data sets, with
    one forward pass per example whatever the number of metrics. It serves any
    Keras classifier; a `PlexModel` adds its members and its variance.

    | name | value |
    |---|---|
    | `val_nll`, `val_ece`, `val_brier` | on the validation data |
    | `shifted/NAME_accuracy`, `_nll`, `_ece`, `_brier` | on each shifted set |
    | `ood/NAME/SCORE_auroc`, `_aupr`, `_fpr95` | validation against OOD set |

    A score of features, such as `"relative_mahalanobis"`, is fitted anew in
    each measured epoch, with a pass over the training data.

    Args:
        validation: labelled data from the training distribution: arrays
            `(x, y)` or batches of them. Defaults to the `validation_data` (or
            `validation_split`) of `PlexModel.fit`.
        ood: dict from name to data that the model should not know; labels, if
            any, are not used.
        shifted: dict from name to labelled data, such as corrupted copies.
        scores: names of scores; see `keras_plex.scores`. Defaults to
            `("msp", "relative_mahalanobis")`, and to `("msp",)` where there
            is no training data to fit the second one to, or no features. A
            score that is fitted already may stand in place of a name, and
            stays as it is.
        training: labelled data that scores of features are fitted to.
            Defaults to that of `PlexModel.fit`, where it ends by itself.
        every: positive int: measure in every so many epochs, from the first
            one, and in the last; between them `logs` repeats the last values.
            Defaults to `1`.
        batch_size: positive int, for arrays. Defaults to `32`.
        max_examples: use the first so many examples of each set, rounded up to
            whole batches. Defaults to all.
        backup_dir: a folder, such as that of `BackupAndRestore`: a `fit` that
            was killed goes on with the values that it had. Only `every` needs
            it: without, the first epoch is measured in any case.
        verbose: 0 or 1; 1 shows progress. Defaults to `0`.

    Attributes:
        predictions: dict from `"validation"`, `"shifted/NAME"` and
            `"ood/NAME"` to the `Predictions`, without features, and the
            labels or `None`, of the last measurement.
        score_values: dict from the same names to a dict from score to values
            `(examples,)`.
        measured_epoch: int, the epoch of the last measurement.

    Raises:
        ValueError: when made, for unknown scores, data that can be read only
            once and when there is nothing to measure; when the training
            begins, for data that the model cannot take.

    Example:

    >>> model = keras.Sequential(
    ...     [keras.Input((2,)), keras.layers.Dense(3, "softmax")]
    ... )
    >>> model.compile(loss="sparse_categorical_crossentropy")
    >>> x, y = np.ones((8, 2)), np.arange(8) % 3
    >>> monitor = ReliabilityMonitor((x, y), ood={"far": 100 * x})
    >>> history = model.fit(x, y, callbacks=[monitor], verbose=0).history
    >>> sorted(history)  # doctest: +NORMALIZE_WHITESPACE
    ['loss', 'ood/far/msp_aupr', 'ood/far/msp_auroc', 'ood/far/msp_fpr95',
     'val_brier', 'val_ece', 'val_nll']

    Reference:
        Tran et al., 2022, "Plex: towards reliability using pretrained large
        model extensions".
    """

    def __init__(
        self,
        validation: Data | None = None,
        ood: Mapping[str, Data] | None = None,
        shifted: Mapping[str, Data] | None = None,
        *,
        scores: Sequence[str | Score] = DEFAULT_SCORES,
        training: Data | None = None,
        every: int = 1,
        batch_size: int = 32,
        max_examples: int | None = None,
        backup_dir: str | os.PathLike | None = None,
        verbose: int = 0,
    ):
        super().__init__()
        check_positive(
            every=every, batch_size=batch_size, max_examples=max_examples
        )
        for name, data in {
            "validation": validation,
            "training": training,
        }.items():
            if data is not None:
                check_data(data, name)
        self.validation = validation
        self.training = training
        self.ood = named_sets(ood, "ood")
        self.shifted = named_sets(shifted, "shifted")
        self.scores = known_scores(scores)
        self.is_default_scores = scores is DEFAULT_SCORES
        self.every = every
        self.batch_size = batch_size
        self.max_examples = max_examples
        self.verbose = verbose
        self.backup = None if backup_dir is None else MonitorBackup(backup_dir)
        self.predictions: dict[str, tuple[Predictions, np.ndarray | None]] = {}
        self.score_values: dict[str, dict[str, np.ndarray]] = {}
        self.measured_epoch: int | None = None
        self._last_values: dict[str, float] = {}

    def on_train_begin(self, logs: dict | None = None) -> None:
        self._last_values = {}
        if self._validation_data() is None:
            raise ValueError(
                "`ReliabilityMonitor` has nothing to measure on: pass "
                "`validation=(x, y)`, or give `validation_data` to "
                "`PlexModel.fit`. Received: validation=None"
            )
        # Fail now, not after the first epoch.
        self._measure(max_examples=1)

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        is_last = epoch + 1 == (self.params or {}).get("epochs")
        if self.backup is not None and not self._last_values:
            self._last_values = self.backup.read(epoch - 1)
        if epoch % self.every == 0 or is_last or not self._last_values:
            self._last_values = self._measure(self.max_examples)
            self.measured_epoch = epoch
        if self.backup is not None:
            self.backup.write(epoch, self._last_values)
        if logs is not None:
            logs.update(self._last_values)

    def on_train_end(self, logs: dict | None = None) -> None:
        if self.backup is not None:
            self.backup.delete()

    def _measure(self, max_examples: int | None) -> dict[str, float]:
        self.predictions, self.score_values = {}, {}
        functions = self._fitted_scores(max_examples)
        validation = self._validation_data()
        values = {
            f"val_{name}": value
            for name, value in self._measure_labelled(
                "validation", validation, functions, max_examples
            ).items()
            if name != "accuracy"  # `fit` has its own
        }
        for name, data in self.shifted.items():
            measured = self._measure_labelled(
                f"shifted/{name}", data, {}, max_examples
            )
            for metric, value in measured.items():
                values[f"shifted/{name}_{metric}"] = value
        for name, data in self.ood.items():
            where = f"ood/{name}"
            self._predict(where, data, functions, max_examples)
            for score_name, unknown in self.score_values[where].items():
                known = self.score_values["validation"][score_name]
                measured = with_name_of_set(
                    name, measure_ranking, known, unknown
                )
                for metric, value in measured.items():
                    values[f"{where}/{score_name}_{metric}"] = value
        return values

    def _measure_labelled(
        self,
        where: str,
        data: Data,
        functions: dict[str, Callable],
        max_examples: int | None,
    ) -> dict[str, float]:
        found, labels = self._predict(where, data, functions, max_examples)
        name = where.rpartition("/")[2]
        if labels is None:
            raise ValueError(
                f"The set {name!r} needs labels: pass `(x, y)` or a data set "
                "of such batches."
            )
        return measure_forecasts(found, labels)

    def _predict(
        self,
        where: str,
        data: Data,
        functions: dict[str, Callable],
        max_examples: int | None,
    ) -> tuple[Predictions, np.ndarray | None]:
        """Predictions for a set, which are kept without their features."""
        name = where.rpartition("/")[2]
        found, labels = with_name_of_set(
            name,
            predict_data,
            self.model,
            data,
            batch_size=self.batch_size,
            max_examples=max_examples,
            features=any(map(needs_features, functions.values())),
            on_batch=self._progress(where, max_examples),
        )
        self.score_values[where] = {
            score_name: with_name_of_set(name, function, found)
            for score_name, function in functions.items()
        }
        found = dataclasses.replace(found, features=None)
        self.predictions[where] = found, labels
        return found, labels

    def _fitted_scores(self, max_examples: int | None) -> dict[str, Callable]:
        if not self.ood:
            return {}
        names = self.scores
        data = self._training_data()
        if self.is_default_scores:
            has_features = data is not None and output_layer(self.model)
            if not has_features:
                names = [name for name in names if not needs_features(name)]
        if data is None and any(map(_is_unfitted, names)):
            raise ValueError(
                "Scores of features are fitted to labelled training data: pass "
                "`training=(x, y)`. `PlexModel.fit` gives its own where that "
                f"ends by itself. Received: scores={tuple(names)}"
            )
        return with_name_of_set(
            "training",
            fit_scores,
            names,
            self.model,
            data,
            batch_size=self.batch_size,
            max_examples=max_examples,
        )

    def _progress(
        self, where: str, max_examples: int | None
    ) -> Callable[[int], None] | None:
        # The trial when the training begins is short.
        if not self.verbose or max_examples == 1:
            return None
        print(f"\n{where}")
        bar = keras.utils.Progbar(target=None, unit_name="example")
        return bar.update

    def _validation_data(self) -> Data | None:
        if self.validation is not None:
            return self.validation
        return getattr(self.model, "fit_validation_data", None)

    def _training_data(self) -> Data | None:
        if self.training is not None:
            return self.training
        return getattr(self.model, "fit_training_data", None)


def _is_unfitted(score: str | Score) -> bool:
    return needs_features(score) and not getattr(score, "parameters", None)
