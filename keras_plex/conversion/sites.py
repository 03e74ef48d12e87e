"""Where a model holds the layers that can have members."""

import dataclasses
import re

import keras

from keras_plex.conversion.methods import METHODS
from keras_plex.conversion.settings import Settings
from keras_plex.conversion.surgery import child_layers

ATTENTION = re.compile(r"attention|mha", re.IGNORECASE)


@dataclasses.dataclass(frozen=True)
class Site:
    """A stock layer to convert, and the block that gets its members' rows.

    Args:
        layer: a `Dense` or `EinsumDense`.
        path: where it is, for messages and `layers` patterns.
        block: the outermost layer around it that is neither a model nor a row
            of blocks: rows are tiled before it.
        is_repeated: whether it lies in one of a row of blocks of one class.
        is_attention: whether an attention layer holds it.
    """

    layer: keras.layers.Layer
    path: str
    block: keras.layers.Layer
    is_repeated: bool
    is_attention: bool


def find_sites(
    model: keras.Model,
    kinds: tuple[type, ...],
    settings: Settings,
    head: keras.layers.Layer | None,
) -> list[Site]:
    """The sites that the settings choose, without the head.

    Blocks are the rows of equal blocks where the model has such (a
    Transformer), else each convertible layer counts as one.
    """
    sites = [s for s in list_sites(model, kinds) if s.layer is not head]
    if settings.layers is not None:
        return _matching(sites, settings, model)
    repeated = [site for site in sites if site.is_repeated]
    blocks = group_by_block(repeated or sites)
    chosen = last_blocks(blocks, settings.last_blocks, model)
    if settings.ensemble_attention:
        return chosen
    without = [site for site in chosen if not site.is_attention]
    if len(without) == len(chosen) or not without:
        raise ValueError(
            "`ensemble_attention=False` leaves the attention layers of the "
            "chosen blocks alone and converts the others, but "
            f"{len(chosen) - len(without)} of {len(chosen)} layers found in "
            f"{model.name!r} belong to attention. Leave it out, or choose the "
            "layers with `layers=[...]`."
        )
    return without


def list_sites(model: keras.Model, kinds: tuple[type, ...]) -> list[Site]:
    """Every layer of these classes in the order of the model's layers."""
    sites: list[Site] = []
    seen: set[int] = set()

    def visit(layer, path, block, is_repeated, is_attention):
        if id(layer) in seen:
            return
        seen.add(id(layer))
        path = f"{path}/{layer.name}" if path else layer.name
        if type(layer) in kinds:
            block = block or layer
            path = layer.path or path
            # KerasHub's MBConv makes layers that it does not call.
            if layer.built:
                sites.append(
                    Site(layer, path, block, is_repeated, is_attention)
                )
            return
        repeated = repeated_classes(layer, kinds)
        if not isinstance(layer, keras.Model) and not repeated:
            block = block or layer
        is_attention = is_attention or is_attention_layer(layer)
        for child in child_layers(layer):
            child_is_repeated = is_repeated or type(child) in repeated
            visit(child, path, block, child_is_repeated, is_attention)

    repeated = repeated_classes(model, kinds)
    for child in child_layers(model):
        visit(child, "", None, type(child) in repeated, False)
    return sites


def repeated_classes(
    layer: keras.layers.Layer, kinds: tuple[type, ...]
) -> set[type]:
    """Classes of which `layer` holds a row of blocks, as a ViT encoder does.

    A block holds layers to convert and is no such layer, nor attention.
    """
    if is_attention_layer(layer):
        return set()
    blocks = [
        type(child)
        for child in child_layers(layer)
        if not is_attention_layer(child) and _holds(child, kinds)
    ]
    return {cls for cls in blocks if blocks.count(cls) > 1}


def is_attention_layer(layer: keras.layers.Layer) -> bool:
    """Whether a layer's class is named as attention, and is no whole block.

    A block holds an attention layer and a feed-forward: two `Dense` at least.
    """
    if not _is_named_attention(layer):
        return False
    children = child_layers(layer)
    holds_attention = any(_is_named_attention(child) for child in children)
    dense = [x for x in children if isinstance(x, keras.layers.Dense)]
    return not (holds_attention and len(dense) > 1)


def _is_named_attention(layer: keras.layers.Layer) -> bool:
    return ATTENTION.search(type(layer).__name__) is not None


def group_by_block(sites: list[Site]) -> list[list[Site]]:
    """Sites of one block together, blocks in order of appearance."""
    blocks: dict[int, list[Site]] = {}
    for site in sites:
        blocks.setdefault(id(site.block), []).append(site)
    return list(blocks.values())


def last_blocks(
    blocks: list[list[Site]], count: int | str, model: keras.Model
) -> list[Site]:
    """The sites of the last `count` blocks; raises if there are not as many."""
    if not blocks:
        raise ValueError(
            f"Found nothing to convert in {model.name!r}: apart from its "
            "output layer it holds no built `Dense` or `EinsumDense`. Name "
            '`Conv2D` or `Embedding` layers, as in `layers=["conv"]`, or pass '
            "`ensemble_size=1, last_blocks=0` for the output layer alone."
        )
    if isinstance(count, str):
        return [site for block in blocks for site in block]
    if count > len(blocks):
        raise ValueError(
            f"`last_blocks` goes beyond the depth of {model.name!r}, which has "
            f"{len(blocks)} blocks. Received: last_blocks={count}"
        )
    return [site for block in blocks[-count:] for site in block]


def _holds(layer: keras.layers.Layer, kinds: tuple[type, ...]) -> bool:
    if type(layer) in kinds:
        return False
    return any(
        type(child) in kinds or _holds(child, kinds)
        for child in child_layers(layer)
    )


def _matching(
    sites: list[Site], settings: Settings, model: keras.Model
) -> list[Site]:
    chosen = []
    for pattern in settings.layers or ():
        matched = [site for site in sites if re.search(pattern, site.path)]
        if not matched:
            _check_method(pattern, settings.method, model)
            paths = "\n  ".join(site.path for site in sites)
            raise ValueError(
                f"The pattern {pattern!r} in `layers` matches none of the "
                f"layers that can be converted in {model.name!r}:\n  {paths}"
            )
        chosen += [site for site in matched if site not in chosen]
    return [site for site in sites if site in chosen]


def _check_method(pattern: str, method: str, model: keras.Model) -> None:
    # Another method may convert what this one cannot; the head stays as it is.
    converted = METHODS[method].all_layers
    for other, row in METHODS.items():
        for site in list_sites(model, tuple(row.all_layers)):
            is_other = type(site.layer) not in converted
            if is_other and re.search(pattern, site.path):
                raise ValueError(
                    f"The pattern {pattern!r} in `layers` matches "
                    f"{site.path!r}, but the method {method!r} converts no "
                    f"`{type(site.layer).__name__}`. Pass "
                    f"`method={other!r}`."
                )
