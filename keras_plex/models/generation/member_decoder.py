"""`generate` of `T5Seq2SeqLM` with members: what they share runs once."""

import dataclasses
from typing import Any

import keras
from keras import ops

from keras_plex.conversion.surgery import walk_layers
from keras_plex.conversion.tiling import TilesArguments
from keras_plex.models.generation.generates_text import GeneratesText
from keras_plex.models.generation.next_token import next_token_logits
from keras_plex.ops.ensemble_axis import members_after_batch
from keras_plex.ops.ensemble_axis import members_before_batch
from keras_plex.ops.ensemble_axis import split_members
from keras_plex.types import Tensor


class MemberDecoder(GeneratesText):
    """Mixin in front of a converted KerasHub `T5Seq2SeqLM`.

    Layers before the first members compute one row per example; from there on
    `ensemble_size` rows. Samplers see one row per example and one next-token
    distribution, the mean of the members'. The caches are those of the stock
    model but for axis 1, on which a layer whose attention sees members' rows
    has `ensemble_size` entries where a stock layer has one.
    """

    def call_encoder(self, token_ids: Tensor, padding_mask: Tensor) -> Tensor:
        """`(batch, length, dim)`; with members in it `(batch, ensemble, ...)`.

        Samplers repeat it along the batch.
        """
        x = super().call_encoder(token_ids, padding_mask)
        if not self._encoder_has_members():
            return x
        return members_after_batch(x, self.ensemble_size)

    def call_decoder_with_cache(
        self,
        encoder_hidden_states: Tensor,
        encoder_padding_mask: Tensor,
        decoder_token_ids: Tensor,
        self_attention_cache: Tensor,
        self_attention_cache_update_index: Any,
        cross_attention_cache: Tensor,
        cross_attention_cache_update_index: Any,
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """As of the stock class; logits are those of the mixture."""
        rows, *caches = self._decode(
            encoder_hidden_states,
            encoder_padding_mask,
            decoder_token_ids,
            (self_attention_cache, self_attention_cache_update_index),
            (cross_attention_cache, cross_attention_cache_update_index),
        )
        return self._logits(rows), self._mean_of_members(rows), *caches

    def _logits(self, hidden_states: Tensor) -> Tensor:
        # Members' rows in, one distribution per example out.
        return next_token_logits(self, super()._logits(hidden_states))

    def _initialize_cache(
        self, encoder_token_ids: Tensor, decoder_token_ids: Tensor
    ) -> tuple[Tensor, ...]:
        *_, last = self._cache_plan()
        caches = super()._initialize_cache(encoder_token_ids, decoder_token_ids)
        return tuple(_with_entries(cache, last.stop) for cache in caches)

    def _build_cache(
        self,
        encoder_token_ids: Tensor,
        encoder_padding_mask: Tensor,
        decoder_token_ids: Tensor,
    ) -> tuple[Tensor, ...]:
        encoder_hidden_states = self.call_encoder(
            token_ids=encoder_token_ids, padding_mask=encoder_padding_mask
        )
        own, cross = self._initialize_cache(
            encoder_token_ids, decoder_token_ids
        )
        rows, own, cross = self._decode(
            encoder_hidden_states,
            encoder_padding_mask,
            decoder_token_ids,
            (own, 0),
            (cross, 0),
        )
        # No logits: nobody reads those of the prompt.
        hidden_states = self._mean_of_members(rows)
        return hidden_states, encoder_hidden_states, own, cross

    def _decode(
        self,
        encoder_hidden_states: Tensor,
        encoder_padding_mask: Tensor,
        decoder_token_ids: Tensor,
        self_attention: tuple[Tensor, Any],
        cross_attention: tuple[Tensor, Any],
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Rows that leave the decoder's last layer, and both caches."""
        backbone = self.backbone
        own_cache, own_index = self_attention
        cross_cache, cross_index = cross_attention
        if cross_index is None:
            encoder_hidden_states = None  # all of it is in the cache
        elif self._encoder_has_members():
            encoder_hidden_states = members_before_batch(encoder_hidden_states)
        x = backbone.token_embedding(decoder_token_ids)
        x = backbone.decoder_embedding_dropout(x)
        bias, own_entries, cross_entries = None, [], []
        for entry in self._cache_plan():
            x, bias, own, cross = entry.layer(
                x,
                position_bias=bias,
                encoder_hidden_states=encoder_hidden_states,
                encoder_attention_mask=encoder_padding_mask[:, None, :],
                use_causal_mask=True,
                self_attention_cache=entry.read(own_cache),
                self_attention_cache_update_index=own_index,
                cross_attention_cache=entry.read(cross_cache),
                cross_attention_cache_update_index=cross_index,
            )
            own_entries.append(entry.to_store(own))
            cross_entries.append(entry.to_store(cross))
        if own_index is not None:
            own_cache = ops.concatenate(own_entries, axis=1)
        if cross_index is not None:
            cross_cache = ops.concatenate(cross_entries, axis=1)
        x = backbone.decoder_dropout(backbone.decoder_layer_norm(x))
        return x, own_cache, cross_cache

    def _mean_of_members(self, rows: Tensor) -> Tensor:
        # Contrastive search compares tokens by them: one vector each.
        return ops.mean(split_members(rows, self.ensemble_size), axis=0)

    def _encoder_has_members(self) -> bool:
        if self.ensemble_size == 1:
            return False
        layers = self.backbone.encoder_transformer_layers
        return any(self._gives_members(layer) for layer in layers)

    def _gives_members(self, layer: keras.layers.Layer) -> bool:
        """Whether a layer tiles its rows, or members in it do."""
        converted = {id(one) for one in self.conversion.converted}
        inside = [layer, *walk_layers(layer)]
        return any(
            isinstance(one, TilesArguments) or id(one) in converted
            for one in inside
        )

    def _cache_plan(self) -> list["CacheEntry"]:
        """Where each decoder layer's cache is."""
        has_members = self._encoder_has_members()
        plan, start = [], 0
        for layer in self.backbone.decoder_transformer_layers:
            # Its attention sees members' rows, or only what follows it.
            has_members = has_members or isinstance(layer, TilesArguments)
            size = self.ensemble_size if has_members else None
            plan.append(CacheEntry(layer, start, size))
            start = plan[-1].stop
            has_members = has_members or (
                self.ensemble_size > 1 and self._gives_members(layer)
            )
        return plan


@dataclasses.dataclass(frozen=True)
class CacheEntry:
    """A decoder layer's part of a cache.

    Args:
        layer: the decoder layer.
        start: where its part begins on axis 1.
        ensemble_size: positive int where its attention sees members' rows,
            else `None`.
    """

    layer: keras.layers.Layer
    start: int
    ensemble_size: int | None

    @property
    def stop(self) -> int:
        """Where the next layer's part begins."""
        return self.start + (self.ensemble_size or 1)

    def read(self, cache: Tensor) -> Tensor:
        """`(batch, entries, ...)` to the rows that the layer takes."""
        if self.ensemble_size is None:
            return cache[:, self.start]
        return members_before_batch(cache[:, self.start : self.stop])

    def to_store(self, rows: Tensor) -> Tensor:
        """The layer's rows to `(batch, its entries, ...)`."""
        if self.ensemble_size is None:
            return ops.expand_dims(rows, axis=1)
        return members_after_batch(rows, self.ensemble_size)


def _with_entries(cache: Tensor, entries: int) -> Tensor:
    # (batch, layers, ...) -> (batch, entries, ...)
    batch, _, *rest = ops.shape(cache)
    return ops.zeros((batch, entries, *rest), dtype=cache.dtype)
