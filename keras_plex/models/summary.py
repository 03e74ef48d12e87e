"""The converted layers, as lines below a model's summary."""

import math
from collections.abc import Callable

from keras_plex.conversion.convert import Conversion


def print_conversion(
    conversion: Conversion, print_line: Callable[[str], None]
) -> None:
    """Prints one line per converted layer: path, class, own weights."""
    settings = conversion.settings
    rows = [
        (layer.path, type(layer).__name__, f"{_own_weights(layer):,}")
        for layer in conversion.converted
    ]
    widths = [max(len(row[i]) for row in rows) for i in range(3)]
    print_line(
        f" Converted by plexify ({settings.method}, ensemble_size="
        f"{settings.ensemble_size}, head={settings.head!r}); layer, class, "
        "weights added:"
    )
    for path, name, count in rows:
        print_line(
            f"   {path:<{widths[0]}}  {name:<{widths[1]}}  {count:>{widths[2]}}"
        )


def _own_weights(layer) -> int:
    stock = {"kernel", "bias"}
    return sum(
        math.prod(weight.shape)
        for weight in layer.weights
        if weight.name not in stock
    )
