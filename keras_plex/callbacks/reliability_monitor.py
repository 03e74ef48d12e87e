"""Calibration and detection of unknown inputs, during `fit`."""

from collections.abc import Mapping
from collections.abc import Sequence

import keras

from keras_plex.batches import check_data
from keras_plex.scores import score
from keras_plex.tasks.measurements import measure_forecasts
from keras_plex.tasks.measurements import measure_ood
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

    Args:
        validation: labelled data from the training distribution: arrays
            `(x, y)` or batches of them. Defaults to the `validation_data` (or
            `validation_split`) of `PlexModel.fit`.
        ood: dict from name to data that the model should not know; labels, if
            any, are not used.
        shifted: dict from name to labelled data, such as corrupted copies.
        scores: names of scores; see `keras_plex.scores`. Defaults to
            `("msp",)`.
        every: positive int: measure in every so many epochs, from the first
            one, and in the last; between them `logs` repeats the last values.
            Defaults to `1`.
        batch_size: positive int, for arrays. Defaults to `32`.
        max_examples: use the first so many examples of each set, rounded up to
            whole batches. Defaults to all.

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
        scores: Sequence[str] = ("msp",),
        every: int = 1,
        batch_size: int = 32,
        max_examples: int | None = None,
    ):
        super().__init__()
        self.validation = validation
        self.ood = _named_sets(ood, "ood")
        self.shifted = _named_sets(shifted, "shifted")
        self.scores = _known_scores(scores)
        self.every = _positive(every, "every")
        self.batch_size = _positive(batch_size, "batch_size")
        self.max_examples = max_examples
        if max_examples is not None:
            _positive(max_examples, "max_examples")
        if validation is not None:
            check_data(validation, "validation")
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
        if epoch % self.every == 0 or is_last or not self._last_values:
            self._last_values = self._measure(self.max_examples)
        if logs is not None:
            logs.update(self._last_values)

    def _measure(self, max_examples: int | None) -> dict[str, float]:
        values: dict[str, float] = {}
        known, labels = self._predict(
            "validation", self._validation_data(), max_examples
        )
        measured = measure_forecasts(known, _present(labels, "validation"))
        for name in ("nll", "ece", "brier"):
            values[f"val_{name}"] = measured[name]
        for name, data in self.shifted.items():
            found, labels = self._predict(name, data, max_examples)
            measured = measure_forecasts(found, _present(labels, name))
            for metric, value in measured.items():
                values[f"shifted/{name}_{metric}"] = value
        for name, data in self.ood.items():
            unknown, _ = self._predict(name, data, max_examples)
            for score_name in self.scores:
                measured = measure_ood(known, unknown, score_name)
                for metric, value in measured.items():
                    values[f"ood/{name}/{score_name}_{metric}"] = value
        return values

    def _predict(self, name: str, data: Data, max_examples: int | None):
        try:
            return predict_data(
                self.model,
                data,
                batch_size=self.batch_size,
                max_examples=max_examples,
            )
        except Exception as error:
            raise ValueError(
                f"`ReliabilityMonitor` cannot run the model on the set "
                f"{name!r}. {str(error)[:500]}"
            ) from error

    def _validation_data(self) -> Data | None:
        if self.validation is not None:
            return self.validation
        return getattr(self.model, "fit_validation_data", None)


def _named_sets(sets: Mapping[str, Data] | None, argument: str) -> dict:
    if sets is None:
        return {}
    if not isinstance(sets, Mapping):
        raise ValueError(
            f"`{argument}` must be a dict from name to data, as in "
            f'{argument}={{"svhn": dataset}}. Received: {type(sets).__name__}'
        )
    for name, data in sets.items():
        check_data(data, f"{argument}[{name!r}]")
    return dict(sets)


def _known_scores(scores: Sequence[str]) -> tuple[str, ...]:
    if isinstance(scores, str):
        raise ValueError(
            "`scores` must be a list of names. "
            f"Received: scores={scores!r}; did you mean ({scores!r},)?"
        )
    for name in scores:
        score(name)
    return tuple(scores)


def _positive(value: int, name: str) -> int:
    if not isinstance(value, int) or value < 1:
        raise ValueError(
            f"`{name}` must be a positive integer. Received: {name}={value!r}"
        )
    return value


def _present(labels, name: str):
    if labels is None:
        raise ValueError(
            f"The set {name!r} needs labels: pass `(x, y)` or a data set of "
            "such batches."
        )
    return labels
