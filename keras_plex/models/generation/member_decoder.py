"""`generate` of `T5Seq2SeqLM` with members: what they share runs once."""

import dataclasses
from typing import Any

import keras
from keras import ops
from keras import tree

from keras_plex.conversion.families.t5_caches import Cache
from keras_plex.conversion.surgery import walk_layers
from keras_plex.conversion.tiling import TilesArguments
from keras_plex.models.generation.generates_text import GeneratesText
from keras_plex.models.generation.next_token import next_token_logits
from keras_plex.ops.ensemble_axis import members_after_batch
from keras_plex.ops.ensemble_axis import members_before_batch
from keras_plex.ops.ensemble_axis import split_members
from keras_plex.ops.ensemble_axis import tile_members
from keras_plex.types import Tensor

Caches = tuple[Cache, ...]  # of each decoder layer


class MemberDecoder(GeneratesText):
    """Mixin in front of a converted KerasHub `T5Seq2SeqLM`.

    Layers before the first members compute one row per example; from there on
    `ensemble_size` rows. Samplers see one row per example and one next-token
    distribution, the mean of the members'. A cache is a tuple with the keys and
    values of each layer, each `(batch, heads, length, dim)`, or where attention
    sees members' rows `(batch, ensemble, heads, length, dim)`.
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
        self_attention_cache: Caches,
        self_attention_cache_update_index: Any,
        cross_attention_cache: Caches,
        cross_attention_cache_update_index: Any,
    ) -> tuple[Tensor, Tensor, Caches, Caches]:
        """As of the stock class; logits are those of the mixture."""
        rows, own, cross = self._decode(
            encoder_hidden_states,
            encoder_padding_mask,
            decoder_token_ids,
            (self_attention_cache, self_attention_cache_update_index),
            (cross_attention_cache, cross_attention_cache_update_index),
        )
        return self._logits(rows), self._mean_of_members(rows), own, cross

    def _logits(self, hidden_states: Tensor) -> Tensor:
        # Members' rows in, one distribution per example out.
        return next_token_logits(self, super()._logits(hidden_states))

    def _initialize_cache(
        self, encoder_token_ids: Tensor, decoder_token_ids: Tensor
    ) -> tuple[Caches, Caches]:
        own, cross = super()._initialize_cache(
            encoder_token_ids, decoder_token_ids
        )
        layers = self._cached_layers()
        return (
            tuple(layer.empty_cache(own) for layer in layers),
            tuple(layer.empty_cache(cross) for layer in layers),
        )

    def _build_cache(
        self,
        encoder_token_ids: Tensor,
        encoder_padding_mask: Tensor,
        decoder_token_ids: Tensor,
    ) -> tuple[Tensor, Tensor, Caches, Caches]:
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
        self_attention: tuple[Caches, Any],
        cross_attention: tuple[Caches, Any],
    ) -> tuple[Tensor, Caches, Caches]:
        """Rows that leave the decoder's last layer, and both caches."""
        backbone = self.backbone
        own_caches, own_index = self_attention
        cross_caches, cross_index = cross_attention
        if cross_index is None:
            encoder_hidden_states = None  # all of it is in the caches
        elif self._encoder_has_members():
            encoder_hidden_states = members_before_batch(encoder_hidden_states)
        x = backbone.token_embedding(decoder_token_ids)
        x = backbone.decoder_embedding_dropout(x)
        bias, own_written, cross_written = None, [], []
        for cached, own, cross in zip(
            self._cached_layers(), own_caches, cross_caches, strict=True
        ):
            x, bias, own, cross = cached.layer(
                x,
                position_bias=bias,
                encoder_hidden_states=encoder_hidden_states,
                encoder_attention_mask=encoder_padding_mask[:, None, :],
                use_causal_mask=True,
                self_attention_cache=cached.to_rows(own),
                self_attention_cache_update_index=own_index,
                cross_attention_cache=cached.to_rows(cross),
                cross_attention_cache_update_index=cross_index,
            )
            if own_index is not None:
                own_written.append(cached.to_examples(own))
            if cross_index is not None:
                cross_written.append(cached.to_examples(cross))
        own_caches = tuple(own_written) or own_caches
        cross_caches = tuple(cross_written) or cross_caches
        x = backbone.decoder_dropout(backbone.decoder_layer_norm(x))
        return x, own_caches, cross_caches

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

    def _cached_layers(self) -> list["CachedLayer"]:
        has_members = self._encoder_has_members()
        layers = []
        for layer in self.backbone.decoder_transformer_layers:
            # Its attention sees members' rows, or only what follows it.
            has_members = has_members or isinstance(layer, TilesArguments)
            size = self.ensemble_size if has_members else None
            layers.append(CachedLayer(layer, size))
            has_members = has_members or (
                self.ensemble_size > 1 and self._gives_members(layer)
            )
        return layers


@dataclasses.dataclass(frozen=True)
class CachedLayer:
    """A decoder layer and the form of its caches.

    Args:
        layer: the decoder layer.
        ensemble_size: positive int where its attention sees members' rows,
            else `None`.
    """

    layer: keras.layers.Layer
    ensemble_size: int | None

    def empty_cache(self, stock: Tensor) -> Cache:
        """From the stock model's, `(batch, layers, 2, length, heads, dim)`."""
        zeros = ops.swapaxes(stock[:, 0, 0], 1, 2)
        if self.ensemble_size is not None:
            zeros = tile_members(zeros, self.ensemble_size)
        return self.to_examples((zeros, zeros))

    def to_rows(self, cache: Cache) -> Cache:
        """`(batch, [ensemble,] ...)` to the rows that the layer takes."""
        if self.ensemble_size is None:
            return cache
        return tree.map_structure(members_before_batch, cache)

    def to_examples(self, cache: Cache) -> Cache:
        """The layer's rows to `(batch, [ensemble,] ...)`."""
        size = self.ensemble_size
        if size is None:
            return cache
        return tree.map_structure(lambda x: members_after_batch(x, size), cache)
