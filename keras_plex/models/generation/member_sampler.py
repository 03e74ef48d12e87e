"""A sampler that chooses one token for all members."""

from collections.abc import Callable
from typing import Any

from keras import ops
from keras import tree

from keras_plex.ops.ensemble_axis import members_after_batch
from keras_plex.ops.ensemble_axis import members_before_batch
from keras_plex.ops.ensemble_axis import split_members
from keras_plex.ops.ensemble_axis import tile_members
from keras_plex.types import Tensor

Sampler = Any  # keras_hub.samplers.Sampler


class MemberSampler:
    """Stands between a model with members' rows and its sampler.

    The model sees a row for each member and example everywhere. The sampler
    sees one row per example: the prompt, the mixture of the members' next
    token distributions, and caches whose first axis is the batch, so that beam
    search may repeat and gather them.

    Args:
        sampler: a KerasHub sampler.
        ensemble_size: positive int.
        mix: members' logits `(ensemble * batch, ...)` to those of their
            mixture, `(batch, ...)`.
    """

    def __init__(
        self,
        sampler: Sampler,
        ensemble_size: int,
        mix: Callable[[Tensor], Tensor],
    ):
        self.sampler = sampler
        self.ensemble_size = ensemble_size
        self.mix = mix

    @property
    def variables(self) -> list:
        """The state of the sampler's random numbers."""
        return self.sampler.variables

    def __call__(
        self,
        next: Callable,
        prompt: Tensor,
        cache: Any = None,
        index: Tensor | int = 0,
        mask: Tensor | None = None,
        hidden_states: Tensor | None = None,
        **kwargs,
    ) -> Tensor:
        if kwargs.get("draft_next") is not None:
            raise ValueError(
                "A model with members cannot write with a draft model "
                "(speculative decoding). Call `generate` without it."
            )

        def next_of_members(prompt, cache, index):
            rows = tile_members(prompt, self.ensemble_size)
            logits, hidden, cache = next(rows, self._to_rows(cache), index)
            hidden = self._mean(hidden)
            return self.mix(logits), hidden, self._to_examples(cache)

        chosen = self.sampler(
            next=next_of_members,
            prompt=self._first(prompt),
            cache=self._to_examples(cache),
            index=index,
            mask=self._first(mask),
            hidden_states=self._mean(hidden_states),
            **kwargs,
        )
        return tree.map_structure(
            lambda x: tile_members(x, self.ensemble_size), chosen
        )

    def _to_examples(self, cache: Any) -> Any:
        # (ensemble * batch, ...) -> (batch, ensemble, ...)
        return _map(lambda x: members_after_batch(x, self.ensemble_size), cache)

    def _to_rows(self, cache: Any) -> Any:
        return _map(members_before_batch, cache)

    def _first(self, rows: Tensor | None) -> Tensor | None:
        if rows is None:
            return None
        return split_members(rows, self.ensemble_size)[0]

    def _mean(self, hidden: Tensor | None) -> Tensor | None:
        # Contrastive search compares tokens by them: one vector each.
        if hidden is None:
            return None
        return ops.mean(split_members(hidden, self.ensemble_size), axis=0)


def _map(function: Callable[[Tensor], Tensor], cache: Any) -> Any:
    return tree.map_structure(
        lambda x: None if x is None else function(x), cache
    )
