"""Dropout layers that drop at inference, each member always the same."""

import keras
from keras import ops

from keras_plex.conversion import forward_pass
from keras_plex.conversion.sites import Site
from keras_plex.conversion.sites import list_sites
from keras_plex.conversion.surgery import add_mixin
from keras_plex.conversion.surgery import intercept_calls
from keras_plex.conversion.surgery import walk_layers
from keras_plex.conversion.tiling import Layout
from keras_plex.conversion.tiling import tile_where_needed
from keras_plex.ops.dropout_masks import dropout_masks
from keras_plex.ops.ensemble_axis import merge_members
from keras_plex.ops.ensemble_axis import split_members
from keras_plex.types import Tensor

# Class -> how many axes lie between the batch and the channels, if these are
# last. A member keeps or drops a channel as a whole.
SPATIAL = {
    keras.layers.SpatialDropout1D: 1,
    keras.layers.SpatialDropout2D: 2,
    keras.layers.SpatialDropout3D: 3,
}
DROPOUTS = (keras.layers.Dropout, *SPATIAL)

# Noise that has no member masks: it stays off at inference.
LEFT_OUT = (
    keras.layers.AlphaDropout,
    keras.layers.GaussianDropout,
    keras.layers.GaussianNoise,
    keras.layers.RNN,
)


class MemberDropout:
    """Mixin in front of a dropout layer: rows are members', each has a mask.

    A member's mask is the same for every example and call. `mask_number` tells
    the masks of one layer from those of another.
    """

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        if forward_pass.is_stock():
            return super().call(inputs, training=training)
        masks = dropout_masks(
            self.mask_seed,
            self.mask_number,
            self.mask_ensemble_size,
            mask_shape(self, inputs),
            self.rate,
        )
        # (ensemble * batch, ...) -> (ensemble, batch, ...)
        x = split_members(inputs, self.mask_ensemble_size)
        x = x * ops.cast(ops.expand_dims(masks, 1), x.dtype)
        return merge_members(x)


def mask_shape(layer: keras.layers.Dropout, inputs: Tensor) -> list:
    """The shape of one member's mask: that of an example, or 1 on an axis.

    It follows `noise_shape`, or a spatial layer's channels.
    """
    shape = list(ops.shape(inputs)[1:])
    for cls, rank in SPATIAL.items():
        if isinstance(layer, cls):
            channels = 0 if is_channels_first(layer) else rank
            return [x if i == channels else 1 for i, x in enumerate(shape)]
    if layer.noise_shape is None:
        return shape
    given = layer.noise_shape[1:]
    pairs = zip(shape, given, strict=True)
    return [x if noise is None else noise for x, noise in pairs]


def is_channels_first(layer: keras.layers.Layer) -> bool:
    """Whether the channels of a spatial layer come right after the batch."""
    return getattr(layer, "data_format", None) == "channels_first"


def sample_dropout(
    model: keras.Model, ensemble_size: int, seed: int
) -> tuple[list[str], Layout]:
    """Makes the dropout layers of `model`, which the caller owns, members'.

    Returns:
        The paths of these layers, and where the model's rows are members'.
    """
    sites = [
        site for site in list_sites(model, DROPOUTS) if site.layer.rate > 0
    ]
    check_sites(model, sites)
    for number, site in enumerate(sites):
        add_mixin(
            site.layer,
            MemberDropout,
            mask_seed=seed,
            mask_number=number,
            mask_ensemble_size=ensemble_size,
        )
    called: set[int] = set()

    def note(operation, args, kwargs):
        called.add(id(operation))
        return args, kwargs

    with intercept_calls(note):
        layout = tile_where_needed(
            model,
            ensemble_size,
            [site.block for site in sites],
            len(model.outputs),
        )
    if not called or layout.tiled_inputs:  # no dry run, or half a one
        return [site.path for site in sites], layout
    reached = [site.path for site in sites if id(site.layer) in called]
    check_reached(model, sites, reached, layout)
    return reached, layout


def check_reached(
    model: keras.Model, sites: list[Site], reached: list[str], layout: Layout
) -> None:
    """Raises if the members would be equal after all."""
    if reached and any(layout.member_outputs):
        return
    paths = ", ".join(site.path for site in sites[:5])
    raise ValueError(
        f"No output of {model.name!r} passes through its dropout layers at "
        f"inference, so its members would be equal: {paths}. The layer around "
        "them may call them in training only."
    )


def check_sites(model: keras.Model, sites: list[Site]) -> None:
    """Raises unless there is a dropout layer that drops some but not all."""
    if not sites:
        others = [
            f"{layer.path or layer.name} ({type(layer).__name__})"
            for layer in walk_layers(model)
            if isinstance(layer, LEFT_OUT)
        ]
        found = f" It has {', '.join(others[:5])}." if others else ""
        raise ValueError(
            f"{model.name!r} has no `Dropout` or `SpatialDropout` layer with a "
            "rate above 0, so its members would be equal. Rebuild it with one, "
            "as in `dropout=0.1` or `dropout_rate=0.1`; other noise, also "
            f"dropout inside a recurrent layer, stays off.{found}"
        )
    for site in sites:
        if site.layer.rate >= 1:
            raise ValueError(
                f"{site.path!r} drops everything: its rate must be below 1. "
                f"Received: rate={site.layer.rate}"
            )
