"""Each model gets the mixin that makes its `generate` right."""

import dataclasses

import pytest

from keras_plex import plexify
from keras_plex.models.generation.language_models import generation_mixins
from keras_plex.models.generation.member_decoder import MemberDecoder
from keras_plex.models.generation.tiled_prompts import TiledPrompts
from tests import cases
from tests import seq2seq_models

MIXINS = {
    seq2seq_models.t5_seq2seq_lm: (MemberDecoder,),
    seq2seq_models.gpt2: (TiledPrompts,),
    cases.mlp: (),
}


@pytest.mark.parametrize("make", MIXINS)
def test_the_cheapest_mixin_is_taken(make):
    stock = make()
    model = plexify(stock, last_blocks=1)
    assert generation_mixins(stock, model.conversion) == MIXINS[make]
    assert type(model).__mro__[1 : 1 + len(MIXINS[make])] == MIXINS[make]


def test_a_t5_whose_inputs_are_tiled_runs_once_for_each_member():
    stock = seq2seq_models.t5_seq2seq_lm()
    conversion = plexify(stock, last_blocks=1).conversion
    layout = dataclasses.replace(conversion.layout, tiled_inputs=True)
    conversion = dataclasses.replace(conversion, layout=layout)
    assert generation_mixins(stock, conversion) == (TiledPrompts,)
