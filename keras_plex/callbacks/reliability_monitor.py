"""Calibration and detection of unknown inputs, during `fit`."""

import math
import os
import warnings
from collections.abc import Mapping
from collections.abc import Sequence

import keras
import numpy as np

from keras_plex.batches import check_data
from keras_plex.callbacks.measurement import Measurement
from keras_plex.callbacks.measurement import NotFiniteError
from keras_plex.callbacks.monitor_backup import MonitorBackup
from keras_plex.models.classifiers import output_layer
from keras_plex.predictions import Predictions
from keras_plex.scores import DEFAULT_SCORES
from keras_plex.scores import Score
from keras_plex.scores import needs_features
from keras_plex.tasks.arguments import check_positive
from keras_plex.tasks.arguments import known_scores
from keras_plex.tasks.arguments import named_sets
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
    each measured epoch, with a pass over the training data. Where the model's
    outputs are NaN or infinite all values are NaN, with a warning.

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
        self._names: list[str] = []

    def on_train_begin(self, logs: dict | None = None) -> None:
        if self._validation_data() is None:
            raise ValueError(
                "`ReliabilityMonitor` has nothing to measure on: pass "
                "`validation=(x, y)`, or give `validation_data` to "
                "`PlexModel.fit`. Received: validation=None"
            )
        # Fail now, not after the first epoch.
        trial = Measurement(
            self.model, batch_size=self.batch_size, max_examples=1
        )
        self._names = list(self._take(trial))
        self._last_values = {}
        self._keep(trial)

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        is_last = epoch + 1 == (self.params or {}).get("epochs")
        if self.backup is not None and not self._last_values:
            self._last_values = self.backup.read(epoch - 1)
        if epoch % self.every == 0 or is_last or not self._last_values:
            self._last_values = self._measure()
            self.measured_epoch = epoch
        if self.backup is not None:
            self.backup.write(epoch, self._last_values)
        if logs is not None:
            logs.update(self._last_values)

    def on_train_end(self, logs: dict | None = None) -> None:
        if self.backup is not None:
            self.backup.delete()

    def _measure(self) -> dict[str, float]:
        measurement = Measurement(
            self.model,
            batch_size=self.batch_size,
            max_examples=self.max_examples,
            verbose=self.verbose,
        )
        try:
            values = self._take(measurement)
        except NotFiniteError as error:
            # Training may go on, or stop by `TerminateOnNaN`.
            warnings.warn(f"{error} All values are NaN.", stacklevel=2)
            values = dict.fromkeys(self._names, math.nan)
        self._keep(measurement)
        return values

    def _keep(self, measurement: Measurement) -> None:
        self.predictions = measurement.predictions
        self.score_values = measurement.score_values

    def _take(self, measurement: Measurement) -> dict[str, float]:
        validation, training = self._validation_data(), self._training_data()
        scores = self._scores(training) if self.ood else ()
        return measurement.take(
            validation, self.ood, self.shifted, scores, training
        )

    def _scores(self, training: Data | None) -> Sequence[str | Score]:
        scores = self.scores
        if self.is_default_scores:
            has_features = training is not None and output_layer(self.model)
            if not has_features:
                scores = [one for one in scores if not needs_features(one)]
        if training is None and any(map(_is_unfitted, scores)):
            raise ValueError(
                "Scores of features are fitted to labelled training data: pass "
                "`training=(x, y)`. `PlexModel.fit` gives its own where that "
                f"ends by itself. Received: scores={tuple(scores)}"
            )
        return scores

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
