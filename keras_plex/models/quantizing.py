"""The part of a converted model that no member owns goes to few bits."""

import re
import warnings
from collections.abc import Callable
from typing import Any

import keras

from keras_plex.conversion.copying import copy_compilation
from keras_plex.conversion.quantization import MODES
from keras_plex.conversion.surgery import check_quantizable
from keras_plex.conversion.surgery import walk_layers

Filters = Any  # a pattern, several, or a predicate, as in Keras


def quantize_trunk(
    model: keras.Model,
    stock_quantize: Callable[..., None],
    mode: str | None,
    config: Any,
    filters: Filters,
) -> None:
    """Quantizes the stock layers of a converted model; none if one fails.

    Args:
        model: changed in place.
        stock_quantize: `quantize` of its stock class.
        mode: `"int8"`, `"int4"` or `"float8"`.
        config: `None`, or a `keras.quantizers.QuantizationConfig`.
        filters: which of the layers; `None` is all of them.
    """
    name = mode if config is None else config.mode
    if name not in MODES:
        raise ValueError(
            f"A converted model can be quantized by {', '.join(MODES)}. "
            f"Received: mode={name!r}"
        )
    layers = [x for x in stock_layers(model) if is_chosen(x, filters)]
    if not layers:
        raise ValueError(
            f"Nothing of {model.name!r} can be quantized: converted layers "
            "and output layers stay in floating point, and `filters` must "
            f"choose some of the others. Received: filters={filters!r}"
        )
    for layer in layers:
        check_quantizable(layer, name)
    chosen = {id(layer) for layer in layers}
    with warnings.catch_warnings():
        # Keras warns of each layer that has nothing to quantize.
        warnings.filterwarnings(
            "ignore", ".*does not have a `quantize` method", UserWarning
        )
        stock_quantize(mode, config=config, filters=lambda x: id(x) in chosen)
    model.forget_compiled_functions()
    if getattr(model, "optimizer", None) is not None:
        copy_compilation(model, model)


def stock_layers(model: keras.Model) -> list[keras.layers.Layer]:
    """The layers that Keras can quantize and no member has changed."""
    conversion = model.conversion
    heads = [head.layer for head in conversion.heads if head]
    ours = {id(layer) for layer in (*conversion.converted, *heads)}
    return [
        layer
        for layer in walk_layers(model)
        if id(layer) not in ours
        and not isinstance(layer, keras.Model)
        and type(layer).quantize is not keras.layers.Layer.quantize
        and not walk_layers(layer)
    ]


def is_chosen(layer: keras.layers.Layer, filters: Filters) -> bool:
    """Whether Keras's `filters` choose a layer, by its name."""
    if filters is None:
        return True
    if callable(filters):
        return bool(filters(layer))
    patterns = [filters] if isinstance(filters, str) else filters
    return any(re.search(pattern, layer.name) for pattern in patterns)
