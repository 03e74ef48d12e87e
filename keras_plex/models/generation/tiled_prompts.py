"""`generate` of any KerasHub language model with members."""

from typing import Any

from keras import ops
from keras import tree

from keras_plex.conversion import forward_pass
from keras_plex.models.generation.generates_text import GeneratesText
from keras_plex.models.generation.member_sampler import MemberSampler
from keras_plex.models.generation.next_token import next_token_logits
from keras_plex.ops.ensemble_axis import split_members
from keras_plex.ops.ensemble_axis import tile_members


class TiledPrompts(GeneratesText):
    """Mixin in front of a converted KerasHub `CausalLM`.

    Its stock `generate_step` runs on a copy of the prompt for each member, so
    that the whole model, its early blocks too, computes `ensemble_size` times
    as many rows. Families with a decoder of their own avoid that.
    """

    def generate_step(self, inputs: Any, *args, **kwargs) -> Any:
        """One batch: the members' copies go in, one text each comes out."""
        size = self.ensemble_size
        stock_sampler = self.sampler
        self.sampler = MemberSampler(
            stock_sampler, size, lambda logits: next_token_logits(self, logits)
        )
        try:
            with forward_pass.stock_pass():
                outputs = super().generate_step(
                    tree.map_structure(lambda x: tile_members(x, size), inputs),
                    *args,
                    **kwargs,
                )
        finally:
            self.sampler = stock_sampler
        return tree.map_structure(
            lambda x: split_members(ops.convert_to_tensor(x), size)[0],
            outputs,
        )

    def score(self, *args, **kwargs) -> None:
        """Not of a model with members."""
        raise ValueError(
            "`score` runs the layers one by one and knows of no members. Use "
            "`predict_members` for the logits of given tokens, or "
            "`generate_with_uncertainty`."
        )
