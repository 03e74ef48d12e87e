"""The training loss is per member; what users see is the forecast."""

from keras_plex.conversion import forward_pass
from keras_plex.losses import mean_over_members
from keras_plex.models.returns import forecast


class MemberTraining:
    """What a `PlexModel` changes in the training step of its stock class.

    Within it the model returns its members; the loss is the mean of theirs,
    the metrics meet their forecast.
    """

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
        flags = self.conversion.layout.member_outputs
        return mean_over_members(loss, y_pred, flags, self.ensemble_size)

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        if forward_pass.mode() == forward_pass.MEMBERS:
            y_pred = forecast(self, y_pred)
        return super().compute_metrics(x, y, y_pred, sample_weight)
