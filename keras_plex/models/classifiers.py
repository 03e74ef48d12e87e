"""What any Keras classifier's output is, converted or not."""

import keras

from keras_plex.conversion.heads import Head
from keras_plex.conversion.heads import find_head
from keras_plex.models.member_outputs import MemberOutputs
from keras_plex.models.output_kinds import kinds_of_model
from keras_plex.models.output_kinds import the_one_output
from keras_plex.models.output_kinds import unsure_outputs
from keras_plex.models.output_kinds import warn_of_unsure_outputs
from keras_plex.models.output_sources import find_sources


def output_kind(model: keras.Model) -> str:
    """What the one output is, as far as one can tell: a key of `MIXTURES`."""
    if isinstance(model, MemberOutputs):
        model.warn_if_unsure()
        return model.output_kind
    sources = find_sources(model)
    kind = the_one_output(model.name, kinds_of_model(model, sources))
    warn_of_unsure_outputs(model.name, unsure_outputs(model, sources))
    return kind


def output_layer(model: keras.Model) -> Head | None:
    """The `Dense`, or what it became, that makes the one output."""
    if isinstance(model, MemberOutputs):
        return model.output_head
    return find_head(model)
