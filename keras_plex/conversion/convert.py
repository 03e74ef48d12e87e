"""Converts a model in place: sites, head, and where its rows are tiled."""

import dataclasses

import keras

from keras_plex.conversion import forward_pass
from keras_plex.conversion.attention_dropout import draw_masks_in_pairs
from keras_plex.conversion.context import JoinsContext
from keras_plex.conversion.context import RecordsContext
from keras_plex.conversion.context import split_kernel_inputs
from keras_plex.conversion.dry_run import is_graph
from keras_plex.conversion.families import find_default_head
from keras_plex.conversion.families import find_family
from keras_plex.conversion.families.family import Family
from keras_plex.conversion.families.mended import mend_layers
from keras_plex.conversion.first_block import FirstBlock
from keras_plex.conversion.first_block import choose_first_block
from keras_plex.conversion.heads import GAUSSIAN_PROCESSES
from keras_plex.conversion.heads import HEAD_OPTIONS
from keras_plex.conversion.heads import HEADS
from keras_plex.conversion.heads import Head
from keras_plex.conversion.heads import find_heads
from keras_plex.conversion.methods import ensemble_template
from keras_plex.conversion.methods import site_arguments
from keras_plex.conversion.named_blocks import find_named_blocks
from keras_plex.conversion.settings import Settings
from keras_plex.conversion.sites import Site
from keras_plex.conversion.sites import find_sites
from keras_plex.conversion.surgery import add_mixin
from keras_plex.conversion.surgery import number_of_calls
from keras_plex.conversion.surgery import upgrade_layer
from keras_plex.conversion.tiling import Layout
from keras_plex.conversion.tiling import tile_where_needed
from keras_plex.conversion.traced_heads import trace_heads
from keras_plex.conversion.vocabulary_head import convert_vocabulary_head
from keras_plex.conversion.vocabulary_head import find_vocabulary_head
from keras_plex.conversion.vocabulary_head import is_vocabulary_head


@dataclasses.dataclass(frozen=True)
class Conversion:
    """What became of a model.

    Args:
        settings: the arguments, with the defaults of the model filled in.
        converted: the layers that took over from stock ones.
        blocks: the layers around these whose rows are the members'.
        head: the one output layer after conversion, or `None`.
        heads: the layer that makes each flat output, or `None`.
        layout: where members are.
        class_token_only: whether passes need only the last block's class
            token.
    """

    settings: Settings
    converted: tuple[keras.layers.Layer, ...]
    blocks: tuple[keras.layers.Layer, ...]
    head: Head | None
    heads: list[Head | None]
    layout: Layout
    class_token_only: bool


def convert(model: keras.Model, settings: Settings) -> Conversion:
    """Converts `model`, which the caller owns, in place."""
    find = find_heads if is_graph(model) else trace_heads
    heads: list[Head | None] = find(model)
    head = heads[0] if len(heads) == 1 else None
    family = find_family(model)
    settings = settings.with_defaults(default_head=find_default_head(model))
    if head is None and settings.head == "gp":
        head = find_vocabulary_head(model)
        heads = heads if head is None else [head]
    check_head(settings, head, model)
    first = None
    if head is not None and settings.head in GAUSSIAN_PROCESSES:
        first = choose_first_block(model, head, settings.head_options or {})
        settings = settings.with_kernel_inputs(joins=first is not None)
    sites = []
    if settings.makes_members:
        sites = choose_sites(model, settings, head, family)
    check_not_quantized(sites, head, settings)
    convert_sites(sites, settings)
    mend_layers(model)
    converted = [site.layer for site in sites]
    if head is not None:
        convert_head(head, settings, first)
        if settings.head != "keep":
            converted.append(head.layer)
    blocks = [site.block for site in sites]
    if settings.head == "batch_ensemble" or not sites:
        blocks.append(head.layer)
    inner = tile_inside(sites, family, settings.ensemble_size)
    outer = [block for block in blocks if block not in inner]
    layout = tile_where_needed(model, settings.ensemble_size, outer, len(heads))
    if layout.tiled_inputs:
        for block in inner:
            block.inner_ensemble_size = 1
    check_members_reach_an_output(model, layout, converted)
    class_token_only = family is not None and family.prepare(model, blocks)
    if settings.ensemble_size > 1:
        draw_masks_in_pairs(outer)  # where attention sees members' rows
    return Conversion(
        settings=settings,
        converted=tuple(converted),
        blocks=tuple(blocks),
        head=head,
        heads=heads,
        layout=layout,
        class_token_only=class_token_only,
    )


def choose_sites(
    model: keras.Model,
    settings: Settings,
    head: Head | None,
    family: Family | None,
) -> list[Site]:
    """The layers below the output layer that get members."""
    if family is not None and family.block_names and settings.layers is None:
        return find_named_blocks(model, family.block_names, settings)
    return find_sites(
        model,
        settings.convertible_classes,
        settings,
        head.layer if head else None,
    )


def convert_sites(sites: list[Site], settings: Settings) -> None:
    """Gives each chosen layer its members, in place."""
    for number, site in enumerate(sites):
        arguments = site_arguments(
            settings.method,
            settings.method_options,
            settings.fast_weight_stddev,
            settings.seed,
            number,
        )
        template = ensemble_template(
            site.layer, settings.method, settings.ensemble_size, arguments
        )
        upgrade_layer(site.layer, template)


def check_not_quantized(
    sites: list[Site], head: Head | None, settings: Settings
) -> None:
    """Raises for layers to convert whose weights are quantized."""
    quantized = [
        site.path for site in sites if site.layer.quantization_mode is not None
    ]
    if quantized:
        raise ValueError(
            f"{len(quantized)} of the {len(sites)} layers to convert are "
            f"quantized, such as {quantized[0]!r}: members scale weights in "
            "floating point. Choose layers that are not, with fewer "
            "`last_blocks` or with `layers=[...]`, or convert first and call "
            "`quantize` on the converted model."
        )
    is_quantized = head is not None and head.layer.quantization_mode is not None
    if is_quantized and settings.head != "keep":
        raise ValueError(
            f"The output layer {head.layer.path!r} is quantized, so it cannot "
            f'become the head {settings.head!r}. Pass `head="keep"`, or '
            "convert first and call `quantize` on the converted model."
        )


def check_head(
    settings: Settings, head: Head | None, model: keras.Model
) -> None:
    """Raises where the settings' head has no output layer to convert."""
    name = settings.head
    if head is None and name != "keep":
        several = len(getattr(model, "outputs", None) or [None]) > 1
        instead = (
            "convert `keras.Model(model.inputs, output)`, with one of them"
            if several
            else "pass `num_classes=` to give it a new head"
        )
        raise ValueError(
            f"Found no `Dense` that makes the one output of {model.name!r}, "
            f'so it cannot get the head {name!r}. Pass `head="keep"` to leave '
            f"its outputs as they are, or {instead}."
        )
    if name == "keep" or is_vocabulary_head(head):
        return
    if number_of_calls(head.layer) > 1:
        raise ValueError(
            f"The output layer {head.layer.path!r} of {model.name!r} is called "
            f"{number_of_calls(head.layer)} times, so it cannot become the "
            f'head {name!r}. Pass `head="keep"`.'
        )


def convert_head(
    head: Head, settings: Settings, first: FirstBlock | None = None
) -> None:
    """Converts the output layer and lets each pass see its inputs.

    Args:
        head: changed in place.
        settings: of the conversion.
        first: the block whose inputs join those of the head, if any.
    """
    _, options = split_kernel_inputs(settings.head_options or {})
    if first is not None:
        options["context_dim"] = first.dim
    if "seed" in HEAD_OPTIONS[str(settings.head)]:
        options.setdefault("seed", settings.seed)
    convert = HEADS[str(settings.head)]
    if is_vocabulary_head(head):
        convert = convert_vocabulary_head
    convert(head, settings.ensemble_size, options)
    add_mixin(head.layer, forward_pass.RecordsInputs)
    if first is not None:
        shared = first.shared_masks
        add_mixin(first.layer, RecordsContext, context_shared_masks=shared)
        size = settings.ensemble_size
        add_mixin(head.layer, JoinsContext, context_ensemble_size=size)


def tile_inside(
    sites: list[Site], family: Family | None, ensemble_size: int
) -> list[keras.layers.Layer]:
    """Makes the blocks of a family that can tile inside do so; gives these."""
    if family is None or ensemble_size == 1:
        return []
    mixins = family.tiles_inside(sites)
    for block, mixin in mixins.items():
        add_mixin(block, mixin, inner_ensemble_size=ensemble_size)
    return list(mixins)


def check_members_reach_an_output(
    model: keras.Model, layout: Layout, converted: list
) -> None:
    """Raises if no output has the members' rows."""
    if not any(layout.member_outputs):
        paths = ", ".join(layer.path for layer in converted)
        raise ValueError(
            f"No output of {model.name!r} depends on the converted layers: "
            f"{paths}. Choose others with `layers=[...]`."
        )
