"""A calibrated model's outputs, within a pass."""

from keras import ops

from keras_plex.calibration.calibrator import TINY
from keras_plex.calibration.calibrator import Calibrator
from keras_plex.calibration.conformal_sets import ConformalSets
from keras_plex.ops.probabilities import member_probabilities
from keras_plex.ops.probabilities import mix_members
from keras_plex.types import Tensor


def calibrated_forecast(
    members: Tensor, output_kind: str, calibrator: Calibrator
) -> Tensor:
    """One forecast per example, of the kind and dtype of the members' outputs.

    Args:
        members: `(batch, ensemble, classes)`.
        output_kind: what they are.
        calibrator: fitted to such outputs.
    """
    if calibrator.is_of_members:
        mixed = mix_members(calibrator(members), output_kind, axis=1)
        return ops.cast(mixed, members.dtype)
    mean = ops.mean(member_probabilities(members, output_kind), axis=1)
    forecast = calibrator(mean)
    # Logits cannot say 0: the smallest normal float32 instead.
    floored = ops.maximum(forecast, TINY)
    if members.shape[-1] == 1:
        forecast = forecast[:, 1:]
        floored = floored[:, 1:], floored[:, :1]
    outputs = {
        "softmax_logits": lambda: ops.log(floored),
        "sigmoid_logits": lambda: ops.log(floored[0]) - ops.log(floored[1]),
        "probabilities": lambda: forecast,
    }[output_kind]()
    return ops.cast(outputs, members.dtype)


def calibrated_details(
    members: Tensor,
    output_kind: str,
    calibrator: Calibrator | None,
    conformal_sets: ConformalSets | None,
) -> dict[str, Tensor]:
    """What a calibrated model's details have instead of, or beside, others'.

    `outputs`; `probabilities` `(batch, classes)` if the forecast is calibrated
    as such; `prediction_sets` `(batch, classes)` if there are any.
    """
    found = {}
    if calibrator is not None and calibrator.is_of_members:
        members = found["outputs"] = calibrator(members)
    forecast = ops.mean(member_probabilities(members, output_kind), axis=1)
    if calibrator is not None and not calibrator.is_of_members:
        forecast = found["probabilities"] = calibrator(forecast)
    if conformal_sets is not None:
        found["prediction_sets"] = conformal_sets(forecast)
    return found
