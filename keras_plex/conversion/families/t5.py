"""KerasHub's T5: members in the feed-forward part alone cost no attention."""

from collections.abc import Sequence

import keras

from keras_plex.conversion import forward_pass
from keras_plex.conversion.families.family import Family
from keras_plex.conversion.families.family import has_ancestor
from keras_plex.conversion.families.t5_caches import keep_caches_by_heads
from keras_plex.conversion.sites import Site
from keras_plex.ops.ensemble_axis import tile_members
from keras_plex.types import Tensor

FEED_FORWARD = ("input_projector", "gate_projector", "output_projector")


class FeedForwardMembers:
    """Mixin in front of a T5 layer whose feed-forward part alone has members.

    Attention runs on one row per example, and so do its caches and position
    biases; the rows are tiled right before the feed-forward part. The result
    is that of tiling the layer's arguments, but for dropout inside attention,
    which the members share. With `inner_ensemble_size` 1 the rows come tiled.
    """

    # The arguments are those of KerasHub's layer.
    def call(
        self,
        hidden_states: Tensor,
        attention_mask: Tensor | None = None,
        position_bias: Tensor | None = None,
        encoder_hidden_states: Tensor | None = None,
        encoder_attention_mask: Tensor | None = None,
        use_causal_mask: bool = False,
        self_attention_cache: Tensor | None = None,
        self_attention_cache_update_index: int | Tensor | None = None,
        cross_attention_cache: Tensor | None = None,
        cross_attention_cache_update_index: int | Tensor | None = None,
        training: bool = False,
    ) -> tuple:
        if use_causal_mask and position_bias is None:
            attention_mask = self._compute_self_attention_mask(
                hidden_states,
                attention_mask,
                self_attention_cache,
                self_attention_cache_update_index,
            )
        x, position_bias, self_attention_cache = self._attend(
            "self_attention",
            hidden_states,
            mask=attention_mask,
            position_bias=position_bias,
            cache=self_attention_cache,
            cache_update_index=self_attention_cache_update_index,
            training=training,
        )
        if self.is_decoder:
            x, _, cross_attention_cache = self._attend(
                "cross_attention",
                x,
                key_value_states=encoder_hidden_states,
                mask=encoder_attention_mask,
                cache=cross_attention_cache,
                cache_update_index=cross_attention_cache_update_index,
                training=training,
            )
        if not forward_pass.is_stock():
            # (batch, length, dim) -> (ensemble * batch, length, dim)
            x = tile_members(x, self.inner_ensemble_size)
        x = self._feed_forward(x, training)
        if self_attention_cache is None:
            return x, position_bias
        return x, position_bias, self_attention_cache, cross_attention_cache

    def _attend(
        self, name: str, x: Tensor, *, training: bool, **arguments
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        attention = getattr(self, name)
        norm = getattr(self, f"{name}_layer_norm")
        dropout = getattr(self, f"{name}_dropout")
        attended, position_bias, cache = attention(
            norm(x), training=training, **arguments
        )
        x = x + dropout(attended, training=training)
        return x, position_bias, cache

    def _feed_forward(self, x: Tensor, training: bool) -> Tensor:
        normed = self.layer_norm(x)
        hidden = self.input_projector(normed)
        if self.use_gated_activation:
            hidden = hidden * self.gate_projector(normed)
        hidden = self.dropout_layer(hidden, training=training)
        hidden = self.output_projector(hidden)
        return x + self.dropout_layer(hidden, training=training)


def with_head(backbone: keras.Model, num_classes: int) -> keras.Model:
    """A classifier that reads the first state of the decoder."""
    from keras_plex.hub.t5_classifier import T5Classifier

    return T5Classifier(backbone, num_classes)


def is_member(model: keras.Model) -> bool:
    """Whether it is a T5 backbone, or a task around one."""
    return is_backbone(model) or is_backbone(getattr(model, "backbone", None))


def is_backbone(model: keras.Model | None) -> bool:
    """Whether it is a T5 without an output layer."""
    return has_ancestor(model, "keras_hub", "T5Backbone")


def prepare(model: keras.Model, blocks: list[keras.layers.Layer]) -> bool:
    """Makes writing fast; no pass of a T5 needs only a class token."""
    keep_caches_by_heads(model)
    return False


def tiles_inside(sites: Sequence[Site]) -> dict[keras.layers.Layer, type]:
    """The layer whose rows are tiled before its feed-forward part, if any.

    That is the first layer with members, if only its feed-forward part has
    them. Those after it get members' rows from it, as do all decoder layers
    from an encoder layer.
    """
    if not sites:
        return {}
    first = sites[0].block
    is_t5 = has_ancestor(first, "keras_hub", "T5TransformerLayer")
    inside = [site.layer for site in sites if site.block is first]
    if is_t5 and all(is_feed_forward(first, layer) for layer in inside):
        return {first: FeedForwardMembers}
    return {}


def is_feed_forward(
    block: keras.layers.Layer, layer: keras.layers.Layer
) -> bool:
    """Whether a layer belongs to the feed-forward part of a T5 layer."""
    return any(getattr(block, name, None) is layer for name in FEED_FORWARD)


FAMILY = Family(
    is_member=is_member,
    is_backbone=is_backbone,
    with_head=with_head,
    prepare=prepare,
    tiles_inside=tiles_inside,
)
