"""What a model with members returns, wherever the members come from."""

from collections.abc import Sequence

import numpy as np

from keras_plex.conversion import forward_pass
from keras_plex.conversion.heads import Head
from keras_plex.layers.covariance_head import CovarianceHead
from keras_plex.models.calibrating import Calibrating
from keras_plex.models.covariance import set_mean_field_for
from keras_plex.models.device_batches import predict_one_batch
from keras_plex.models.member_saving import MemberSaving
from keras_plex.models.member_state import MemberState
from keras_plex.models.member_training import MemberTraining
from keras_plex.models.output_kinds import check_one_forecast
from keras_plex.models.output_kinds import check_one_label
from keras_plex.models.output_kinds import check_probabilities
from keras_plex.models.output_kinds import kinds_under_loss
from keras_plex.models.output_kinds import the_one_output
from keras_plex.models.output_kinds import unsure_outputs
from keras_plex.models.output_kinds import warn_of_unsure_outputs
from keras_plex.models.predictive_distribution import predictive_distribution
from keras_plex.ops.probabilities import MIXTURES
from keras_plex.predictions import Predictions
from keras_plex.tables import lookup
from keras_plex.types import Data


class MemberOutputs(Calibrating, MemberTraining, MemberSaving):
    """Mixin in front of a Keras model whose passes give members' rows.

    `PlexModel`, `DeepEnsemble` and `MCDropout` share it, so that they can
    stand side by side: outside they give one forecast per example, the mean of
    the members' probabilities; in training the loss is the mean of theirs.
    """

    _plex: MemberState

    @property
    def ensemble_size(self) -> int:
        """The number of members."""
        return self._plex.ensemble_size

    @property
    def member_outputs(self) -> tuple[bool, ...]:
        """For each flat output whether its rows are members'."""
        return self._plex.member_outputs

    @property
    def output_head(self) -> Head | None:
        """The one output layer, where there is one that is known."""
        heads = self._plex.heads
        return heads[0] if len(heads) == 1 else None

    @property
    def covariance_head(self) -> CovarianceHead | None:
        """The output layer, if it is one with a covariance."""
        head = self.output_head
        has_one = head is not None and isinstance(head.layer, CovarianceHead)
        return head.layer if has_one else None

    @property
    def has_variance(self) -> bool:
        """Whether forecasts have the variance of a head with a covariance."""
        return self.covariance_head is not None

    @property
    def fit_training_data(self) -> Data | None:
        """What the current `fit` learns from, where it ends by itself."""
        return self._plex.training_data

    @property
    def fit_validation_data(self) -> Data | None:
        """What the current `fit` validates on, for its callbacks."""
        return self._plex.validation_data

    @property
    def output_kinds(self) -> tuple[str, ...]:
        """What each output is; set it where a loss of your own does not say."""
        return self._plex.output_kinds

    @output_kinds.setter
    def output_kinds(self, kinds: Sequence[str]) -> None:
        for kind in kinds:
            lookup(MIXTURES, kind, "output kind")
        if tuple(kinds) != self._plex.output_kinds:
            self.drop_calibration("Another output kind")
        self._plex.output_kinds = tuple(kinds)
        self._plex.unsure_outputs = ()
        self.forget_compiled_functions()
        set_mean_field_for(self._plex.output_kinds, self.covariance_head)

    @property
    def output_kind(self) -> str:
        """What the one output is; see `output_kinds`."""
        return the_one_output(self.name, self.output_kinds)

    @output_kind.setter
    def output_kind(self, kind: str) -> None:
        self.output_kinds = (kind,)

    def warn_if_unsure(self) -> None:
        """Warns, once, if the kind of an output is a guess."""
        unsure, self._plex.unsure_outputs = self._plex.unsure_outputs, ()
        warn_of_unsure_outputs(self.name, unsure)

    def predict_members(self, x: Data, **kwargs) -> np.ndarray:
        """The members' outputs: `(batch, ensemble, ...)`.

        Args:
            x: what `predict` takes.
            **kwargs: of `predict`; `verbose` defaults to 0.
        """
        return self.predict_details(x, **kwargs)["outputs"]

    def predict_uncertainty(
        self, x: Data, *, features: bool = False, **kwargs
    ) -> Predictions:
        """Forecasts with their uncertainty, from one forward pass.

        Args:
            x: what `predict` takes.
            features: whether to return the inputs of the output layer, too.
            **kwargs: of `predict`; `verbose` defaults to 0.
        """
        check_one_label(self.name, self.output_kind, self.output_head)
        self.warn_if_unsure()
        details = self.predict_details(x, features=features, **kwargs)
        check_one_forecast(self.name, details["outputs"])
        check_probabilities(self.name, self.output_kind, details["outputs"])
        return Predictions.from_outputs(
            details["outputs"],
            self.output_kind,
            variance=details.get("variance"),
            features=details.get("features"),
            probabilities=details.get("probabilities"),
            prediction_sets=details.get("prediction_sets"),
        )

    predictive_distribution = predictive_distribution

    def predict_details(
        self,
        x: Data,
        *,
        features: bool = False,
        on_batch: bool = False,
        **kwargs,
    ) -> dict[str, np.ndarray]:
        """Member `outputs`, `variance` and `features` from one forward pass.

        Also the forecast's `probabilities`, where it is calibrated as such,
        the `prediction_sets`, where there are any, and beside `features` their
        Keras `mask` `(batch, ensemble, ...)`, where they have one.

        Args:
            x: what `predict` takes, or `predict_on_batch`.
            features: whether to return the inputs of the output layer, too.
            on_batch: whether `x` is one batch.
            **kwargs: of `predict`; `verbose` defaults to 0.
        """
        mode = forward_pass.FEATURES if features else forward_pass.DETAILS
        stock_function = self.predict_function
        self.predict_function = self._plex.functions.get(mode)
        self._plex.asked = mode
        try:
            with forward_pass.returning(mode):
                if on_batch:
                    return predict_one_batch(self, x)
                return self.predict(x, **{"verbose": 0, **kwargs})
        finally:
            self._plex.asked = None
            self._plex.functions[mode] = self.predict_function
            self.predict_function = stock_function

    def predict_step(self, *args, **kwargs):
        # Replicas of `tf.distribute` run in threads, which know no pass.
        with forward_pass.returning(self._plex.asked or forward_pass.mode()):
            return super().predict_step(*args, **kwargs)

    def compile(self, *args, **kwargs) -> None:
        """`compile` of the stock model."""
        super().compile(*args, **kwargs)
        self._plex.functions.clear()
        old, sources = self.output_kinds, self._plex.sources
        still = set(self._plex.unsure_outputs)
        kinds = kinds_under_loss(self, sources, old)
        if kinds != old:
            self.output_kinds = kinds
        still &= set(unsure_outputs(self, sources))
        self._plex.unsure_outputs = tuple(sorted(still))
