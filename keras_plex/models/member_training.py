"""The training loss is per member; what users see is the forecast."""

import keras
from keras import ops
from keras import tree

from keras_plex.conversion import forward_pass
from keras_plex.losses import mean_over_members
from keras_plex.models.fit_arguments import FitArguments
from keras_plex.models.reset_covariance import covariance_heads
from keras_plex.models.returns import forecast


class MemberTraining:
    """What a model with members changes in how its stock class is trained.

    Within a training step the model returns its members; the loss is the mean
    of theirs, the metrics meet their forecast.
    """

    def fit(self, *args, **kwargs) -> keras.callbacks.History:
        """`fit` of the stock model; callbacks find its data.

        A Gaussian process whose mean-field factor validation data decide
        passes over the training data once more before it is fitted.
        """
        arguments = FitArguments.bind(super().fit, args, kwargs)
        self.before_fit(arguments)
        self._plex.training_data = arguments.training_data()
        self._plex.validation_data = arguments.validation_data()
        try:
            history = super().fit(*arguments.args, **arguments.kwargs)
        finally:
            self._plex.training_data = self._plex.validation_data = None
        self.after_fit(arguments)
        return history

    def before_fit(self, arguments: FitArguments) -> None:
        """Called with the arguments of `fit`, which it may change."""
        if covariance_heads(self):
            arguments.put_first_reset_covariance(self)

    def after_fit(self, arguments: FitArguments) -> None:
        """Called when `fit` is done."""

    def train_step(self, *args, **kwargs):
        with forward_pass.returning(forward_pass.MEMBERS):
            return super().train_step(*args, **kwargs)

    def compute_loss(
        self, x=None, y=None, y_pred=None, sample_weight=None, training=True
    ):
        def loss(outputs):
            return super(MemberTraining, self).compute_loss(
                x=x,
                y=y,
                y_pred=outputs,
                sample_weight=sample_weight,
                training=training,
            )

        if forward_pass.mode() != forward_pass.MEMBERS:
            return loss(y_pred)
        flags = self.member_outputs
        return mean_over_members(loss, y_pred, flags, self.ensemble_size)

    def test_step(self, *args, **kwargs):
        with forward_pass.remembering_members():
            return super().test_step(*args, **kwargs)

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        with forward_pass.remembering_members():
            if forward_pass.mode() == forward_pass.MEMBERS:
                y_pred = forecast(self, y_pred)
            for output in tree.flatten(y_pred):
                # Not a mix, as in the training step of `MCDropout`.
                if forward_pass.members_of(output) is None:
                    one = ops.expand_dims(output, axis=1)
                    forward_pass.record_members(output, one)
            return super().compute_metrics(x, y, y_pred, sample_weight)
