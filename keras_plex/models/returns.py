"""What one pass of a converted model returns, by mode."""

from typing import Any

from keras import ops
from keras import tree

from keras_plex.conversion import forward_pass
from keras_plex.ops.ensemble_axis import members_after_batch
from keras_plex.ops.ensemble_axis import split_members
from keras_plex.ops.probabilities import mix_members
from keras_plex.types import Tensor

MemberOutputs = Any  # the file above this one


def forecast(model: MemberOutputs, outputs: Tensor, head_inputs=None) -> Tensor:
    """One forecast per example, shaped as the stock model's outputs."""

    def mix(x: Tensor, is_member: bool, kind: str) -> Tensor:
        if not is_member:
            return x
        members = split_members(x, model.ensemble_size)
        return mix_members(members, kind, axis=0)

    flags = model.member_outputs
    kinds = model.output_kinds
    triples = zip(tree.flatten(outputs), flags, kinds, strict=True)
    flat = [mix(*triple) for triple in triples]
    return tree.pack_sequence_as(outputs, flat)


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
    if model.covariance_head is not None:
        variance = model.covariance_head.variance(head_inputs)
        found["variance"] = members_after_batch(variance, size)
    return found


def features(model: MemberOutputs, outputs: Tensor, head_inputs=None) -> dict:
    """`details`, and the inputs of the output layer."""
    if head_inputs is None:
        raise ValueError(
            f"{model.name!r} has no `Dense` output layer, whose inputs are the "
            "features."
        )
    found = details(model, outputs, head_inputs)
    head_inputs = ops.cast(head_inputs, "float32")
    rows = members_after_batch(head_inputs, model.ensemble_size)
    return {**found, "features": rows}


RETURNS = {
    forward_pass.FORECAST: forecast,
    forward_pass.MEMBERS: members,
    forward_pass.DETAILS: details,
    forward_pass.FEATURES: features,
}
