"""What one pass of a converted model returns, by mode."""

from typing import Any

from keras import ops
from keras import tree

from keras_plex.conversion import forward_pass
from keras_plex.models.calibrated import calibrated_details
from keras_plex.models.calibrated import calibrated_forecast
from keras_plex.ops.ensemble_axis import members_after_batch
from keras_plex.ops.ensemble_axis import split_members
from keras_plex.ops.masks import keras_mask
from keras_plex.ops.masks import with_mask_of_member
from keras_plex.ops.probabilities import mix_members
from keras_plex.types import Tensor

MemberOutputs = Any  # the file above this one


def forecast(model: MemberOutputs, outputs: Tensor, head_inputs=None) -> Tensor:
    """One forecast per example, shaped as the stock model's outputs."""
    model.warn_if_unsure()

    def mix(x: Tensor, is_member: bool, kind: str) -> Tensor:
        size = model.ensemble_size
        if model.calibrator is not None:
            rows = _members_of_one(x, is_member, size)
            return calibrated_forecast(rows, kind, model.calibrator)
        if not is_member:
            return x
        mixed = mix_members(split_members(x, size), kind, axis=0)
        return with_mask_of_member(mixed, x, size)

    flags = model.member_outputs
    kinds = model.output_kinds
    triples = zip(tree.flatten(outputs), flags, kinds, strict=True)
    flat = [mix(*triple) for triple in triples]
    for x, is_member, mixed in zip(
        tree.flatten(outputs), flags, flat, strict=True
    ):
        if is_member:
            forward_pass.record_members(mixed, _shown_members(model, x))
    return tree.pack_sequence_as(outputs, flat)


def _shown_members(model: MemberOutputs, x: Tensor) -> Tensor:
    """The members `(batch, ensemble, ...)` that `details` gives."""
    rows = members_after_batch(x, model.ensemble_size)
    calibrator = model.calibrator
    if calibrator is not None and calibrator.is_of_members:
        return calibrator(rows)
    return rows


def members(model: MemberOutputs, outputs: Tensor, head_inputs=None) -> Tensor:
    """The outputs as they are, `(ensemble * batch, ...)`: for training."""
    return outputs


def details(model: MemberOutputs, outputs: Tensor, head_inputs=None) -> dict:
    """Member outputs `(batch, ensemble, ...)`, and the variance if any."""
    size = model.ensemble_size
    flags = model.member_outputs
    flat = [
        members_after_batch(x, size) if flag else x
        for x, flag in zip(tree.flatten(outputs), flags, strict=True)
    ]
    found = {"outputs": tree.pack_sequence_as(outputs, flat)}
    if model.calibrator is not None or model.conformal_sets is not None:
        found |= calibrated_details(
            _members_of_one(tree.flatten(outputs)[0], flags[0], size),
            model.output_kind,
            model.calibrator,
            model.conformal_sets,
        )
    if model.covariance_head is not None:
        variance = model.covariance_head.variance(head_inputs)
        found["variance"] = members_after_batch(variance, size)
    return found


def features(model: MemberOutputs, outputs: Tensor, head_inputs=None) -> dict:
    """`details`, the inputs of the output layer, and their mask if any."""
    if head_inputs is None:
        raise ValueError(
            f"{model.name!r} has no `Dense` output layer, whose inputs are the "
            "features."
        )
    found = details(model, outputs, head_inputs)
    rows = members_after_batch(
        ops.cast(head_inputs, "float32"), model.ensemble_size
    )
    mask = keras_mask(head_inputs)
    if mask is not None:
        found["mask"] = members_after_batch(mask, model.ensemble_size)
    return {**found, "features": rows}


def _members_of_one(x: Tensor, is_member: bool, ensemble_size: int) -> Tensor:
    """An output as `(batch, ensemble, ...)`; one without members has one."""
    if not is_member:
        return ops.expand_dims(x, axis=1)
    return members_after_batch(x, ensemble_size)


RETURNS = {
    forward_pass.FORECAST: forecast,
    forward_pass.MEMBERS: members,
    forward_pass.DETAILS: details,
    forward_pass.FEATURES: features,
}
