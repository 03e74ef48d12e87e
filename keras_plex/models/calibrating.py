"""A model with members meets held-out labels after training."""

import contextlib
import warnings
from collections.abc import Iterator

import numpy as np

from keras_plex.batches import iterate_batches
from keras_plex.calibration.calibrator import Calibrator
from keras_plex.calibration.calibrators import calibrator_class
from keras_plex.calibration.calibrators import deserialize_calibrator
from keras_plex.calibration.calibrators import serialize_calibrator
from keras_plex.calibration.conformal_sets import ConformalSets
from keras_plex.calibration.labelled import check_kind
from keras_plex.models.member_state import MemberState
from keras_plex.models.output_kinds import check_one_label
from keras_plex.models.output_kinds import check_probabilities
from keras_plex.predictions import Predictions
from keras_plex.types import Config
from keras_plex.types import Data


class Calibrating:
    """Mixin: `calibrate` and `conformalize`, and what they leave behind."""

    _plex: MemberState

    @property
    def calibrator(self) -> Calibrator | None:
        """What `calibrate` fitted."""
        return self._plex.calibrator

    @property
    def conformal_sets(self) -> ConformalSets | None:
        """What `conformalize` fitted."""
        return self._plex.conformal_sets

    def calibrate(
        self,
        dataset: Data,
        method: str = "temperature",
        *,
        batch_size: int = 32,
        per_member: bool = False,
    ) -> None:
        """Makes forecasts as sure as they are right, on held-out data.

        From then on all forecasts are calibrated: those of `predict`, of
        `model(x)`, `evaluate`, `predict_members` and `predict_uncertainty`,
        and of the exported model. Training sees raw outputs; it removes the
        calibration, as does `fit_covariance`, which comes first. Files of the
        whole model keep it, files of weights alone do not.

        `"temperature"` and `"vector"` act on the members' logits before they
        are mixed. `"isotonic"` acts on the forecast: `predict_members`,
        `expected_entropy`, `mutual_information` and `disagreement` stay those
        of the model; where its forecast is 0, logits have the logarithm of
        the smallest float32.

        Args:
            dataset: `(x, y)`, `(x, y, sample_weight)` or batches of them,
                which the model was not trained on.
            method: `"temperature"`, `"vector"` or `"isotonic"`; see
                `keras_plex.calibration`. Defaults to `"temperature"`.
            batch_size: for arrays. Defaults to `32`.
            per_member: whether each member has its own temperature. Defaults
                to `False`.
        """
        if per_member and method != "temperature":
            raise ValueError(
                '`per_member` is an option of "temperature". '
                f"Received: method={method!r}, per_member={per_member!r}"
            )
        options: Config = {"per_member": True} if per_member else {}
        new_class = calibrator_class(method)
        self._check_calibratable()
        with self._uncalibrated():
            details, labels, weights = _collect(self, dataset, batch_size)
        if new_class.is_of_members:
            calibrator = new_class(self.output_kind, **options)
            outputs = details["outputs"]
        else:
            calibrator = new_class(**options)
            outputs = self._predictions(details).probabilities
        calibrator.fit(outputs, labels, weights)
        if self.conformal_sets is not None:
            _warn_removed("conformal sets", "`calibrate`", "`conformalize`")
        self._put_calibration(calibrator, None)

    def conformalize(
        self,
        dataset: Data,
        alpha: float = 0.1,
        method: str = "lac",
        *,
        batch_size: int = 32,
        penalty: float | None = None,
        rank: int | None = None,
        seed: int = 0,
    ) -> None:
        """Gives predictions sets that hold the label as often as promised.

        `predict_uncertainty(x).prediction_sets` and the exported model's
        `prediction_set` then hold the label of at least a share `1 - alpha` of
        examples drawn as those of the data set. They are sets of calibrated
        forecasts if `calibrate` came before, which should see other data.

        Args:
            dataset: `(x, y)` or batches of them, which the model was neither
                trained on nor calibrated with.
            alpha: float between 0 and 1. Defaults to `0.1`.
            method: `"lac"`, `"aps"` or `"raps"`; see
                `keras_plex.calibration.ConformalSets`, also for the other
                arguments. Defaults to `"lac"`.
            batch_size: for arrays. Defaults to `32`.
            penalty: float, of `"raps"`.
            rank: int, of `"raps"`.
            seed: int, of `"raps"`. Defaults to `0`.
        """
        sets = ConformalSets(
            alpha, method, penalty=penalty, rank=rank, seed=seed
        )
        self._check_calibratable()
        details, labels, weights = _collect(self, dataset, batch_size)
        if weights is not None and np.any(weights != 1):
            raise ValueError(
                "Conformal sets treat all examples alike: pass `(x, y)` "
                "without sample weights."
            )
        sets.fit(self._predictions(details).probabilities, labels)
        self._put_calibration(self.calibrator, sets)

    def reset_calibration(self) -> None:
        """Removes what `calibrate` and `conformalize` fitted."""
        self._put_calibration(None, None)

    def drop_calibration(self, cause: str) -> None:
        """Removes it with a warning, if there is any."""
        if self.calibrator is None and self.conformal_sets is None:
            return
        self.reset_calibration()
        _warn_removed("calibration and conformal sets", cause, "them again")

    def load_weights(self, *args, **kwargs) -> None:
        """`load_weights` of the stock model; the calibration was of others."""
        super().load_weights(*args, **kwargs)
        self.drop_calibration("Other weights")

    def set_weights(self, weights) -> None:
        """`set_weights` of the stock model; the calibration was of others."""
        super().set_weights(weights)
        self.drop_calibration("Other weights")

    def make_train_function(self, *args, **kwargs):
        # Where every training begins.
        self.drop_calibration("training")
        return super().make_train_function(*args, **kwargs)

    def calibration_config(self) -> Config:
        """What `get_config` holds of it: nothing for a model without."""
        config = {}
        if self.calibrator is not None:
            config["calibrator"] = serialize_calibrator(self.calibrator)
        if self.conformal_sets is not None:
            config["conformal_sets"] = self.conformal_sets.get_config()
        return config

    def restore_calibration(self, config: Config) -> None:
        """Takes over what `calibration_config` gave."""
        calibrator = config.get("calibrator")
        sets = config.get("conformal_sets")
        if calibrator is not None:
            calibrator = deserialize_calibrator(calibrator)
        if sets is not None:
            sets = ConformalSets.from_config(sets)
        self._put_calibration(calibrator, sets)

    def forget_compiled_functions(self) -> None:
        """Drops the functions that hold the outputs' meaning in a graph."""
        self._plex.functions.clear()
        self.test_function = self.predict_function = self.train_function = None

    def _put_calibration(
        self, calibrator: Calibrator | None, sets: ConformalSets | None
    ) -> None:
        self._plex.calibrator, self._plex.conformal_sets = calibrator, sets
        self.forget_compiled_functions()

    @contextlib.contextmanager
    def _uncalibrated(self) -> Iterator[None]:
        state = self._plex
        before = state.calibrator, state.conformal_sets, state.functions
        if before[:2] != (None, None):
            state.calibrator, state.conformal_sets, state.functions = (
                None,
                None,
                {},
            )
        try:
            yield
        finally:
            state.calibrator, state.conformal_sets, state.functions = before

    def _check_calibratable(self) -> None:
        kind = self.output_kind
        check_kind(kind)
        check_one_label(self.name, kind, self.output_head)

    def _predictions(self, details: dict[str, np.ndarray]) -> Predictions:
        return Predictions.from_outputs(
            details["outputs"],
            self.output_kind,
            probabilities=details.get("probabilities"),
        )


def _collect(
    model, dataset: Data, batch_size: int
) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray | None]:
    """Outputs, labels and weights of a whole data set."""
    found: dict[str, list] = {"outputs": [], "probabilities": []}
    labels, weights = [], []
    for x, y, sample_weight in iterate_batches(dataset, batch_size):
        if y is None:
            raise ValueError(
                "The data set has no labels. Pass `(x, y)`, or a data set of "
                "such batches."
            )
        details = model.predict_details(x, on_batch=True)
        for name, parts in found.items():
            if name in details:
                parts.append(np.asarray(details[name]))
        labels.append(y)
        if sample_weight is not None:
            weights.append(sample_weight)
    joined = {k: np.concatenate(parts) for k, parts in found.items() if parts}
    check_probabilities(model.name, model.output_kind, joined["outputs"])
    return (
        joined,
        np.concatenate(labels),
        np.concatenate(weights) if weights else None,
    )


def _warn_removed(what: str, cause: str, remedy: str) -> None:
    warnings.warn(
        f"{cause} removed the model's {what}, which it would falsify. Fit "
        f"{remedy} afterwards.",
        stacklevel=4,
    )
