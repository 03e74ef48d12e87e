"""T5 attention that keeps its caches by heads, as its products read them."""

import keras
from keras import ops

from keras_plex.conversion.families.family import has_ancestor
from keras_plex.conversion.surgery import add_mixin
from keras_plex.types import Tensor

Cache = tuple[Tensor, Tensor]

# Added to the score of what is hidden, as in KerasHub; float16 ends at 65504.
HIDDEN = {"float16": -6e4}
HIDDEN_IN_ANY = -1e9


class AttendsByHeads:
    """Mixin in front of KerasHub's `T5MultiHeadAttention`.

    The stock layer takes its cache in one array, positions before heads, and
    copies all of it three times for each token. Here a cache may also be the
    tuple `(keys, values)`, each `(batch, heads, length, dim)`, of which nothing
    is copied. The numbers are the same.
    """

    # The arguments are those of KerasHub's layer.
    def call(
        self,
        hidden_states: Tensor,
        mask: Tensor | None = None,
        key_value_states: Tensor | None = None,
        position_bias: Tensor | None = None,
        cache: Tensor | Cache | None = None,
        cache_update_index: int | Tensor | None = None,
        training: bool = False,
    ) -> tuple:
        if not isinstance(cache, tuple):
            return super().call(
                hidden_states,
                mask=mask,
                key_value_states=key_value_states,
                position_bias=position_bias,
                cache=cache,
                cache_update_index=cache_update_index,
                training=training,
            )
        if cache_update_index is not None:
            states = key_value_states
            if states is None:
                states = hidden_states
            cache = self._updated(cache, cache_update_index, states)
        keys, values = cache
        queries = self._by_heads(self.query_projector(hidden_states))
        scores = ops.einsum("bnqd,bnkd->bnqk", queries, keys)
        if position_bias is None:
            start = 0 if cache_update_index is None else cache_update_index
            position_bias = self._position_bias(scores, mask, start)
        scores += ops.cast(position_bias, scores.dtype)
        weights = ops.softmax(scores, axis=-1)
        weights = self.dropout_layer(weights, training=training)
        outputs = ops.einsum("bnqk,bnkd->bqnd", weights, values)
        outputs = ops.reshape(outputs, (*ops.shape(outputs)[:2], -1))
        return self.output_projector(outputs), position_bias, cache

    def _updated(self, cache: Cache, index: int | Tensor, x: Tensor) -> Cache:
        projectors = (self.key_projector, self.value_projector)
        return tuple(
            ops.slice_update(
                states, (0, 0, index, 0), self._by_heads(projector(x))
            )
            for states, projector in zip(cache, projectors, strict=True)
        )

    def _by_heads(self, x: Tensor) -> Tensor:
        # (batch, length, heads * dim) -> (batch, heads, length, dim)
        shape = (*ops.shape(x)[:2], self.num_heads, self.key_value_dim)
        return ops.swapaxes(ops.reshape(x, shape), 1, 2)

    def _position_bias(
        self, scores: Tensor, mask: Tensor | None, start: int | Tensor
    ) -> Tensor:
        *_, queries, keys = ops.shape(scores)
        bias = ops.zeros((1, self.num_heads, queries, keys), scores.dtype)
        if self.use_relative_attention_bias:
            bias = self.compute_bias(queries, keys, query_start_index=start)
            bias = ops.cast(bias, scores.dtype)
        if mask is None:
            return bias
        dtype = keras.backend.standardize_dtype(scores.dtype)
        hidden = HIDDEN.get(dtype, HIDDEN_IN_ANY)
        seen = ops.cast(mask[:, None], "bool")
        return ops.where(seen, bias, bias + hidden)


class TakesCachesByHeads:
    """Mixin in front of KerasHub's `T5TransformerLayer`.

    It asks axis 2 of its cache for the length: the keys have it there.
    """

    def _compute_self_attention_mask(
        self,
        hidden_states: Tensor,
        attention_mask: Tensor | None,
        self_attention_cache: Tensor | Cache | None,
        self_attention_cache_update_index: int | Tensor | None,
    ) -> Tensor:
        if isinstance(self_attention_cache, tuple):
            self_attention_cache, _ = self_attention_cache
        return super()._compute_self_attention_mask(
            hidden_states,
            attention_mask,
            self_attention_cache,
            self_attention_cache_update_index,
        )


def keep_caches_by_heads(model: keras.Model) -> None:
    """Lets the decoder layers of a T5 language model take both caches."""
    if not has_ancestor(model, "keras_hub", "T5Seq2SeqLM"):
        return
    for layer in model.backbone.decoder_transformer_layers:
        add_mixin(layer, TakesCachesByHeads)
        add_mixin(layer.self_attention, AttendsByHeads)
        add_mixin(layer.cross_attention, AttendsByHeads)
