"""All that a `PlexModel` knows beyond its stock model."""

import dataclasses
from collections.abc import Callable

from keras_plex.conversion.convert import Conversion
from keras_plex.types import Config
from keras_plex.types import Data


@dataclasses.dataclass
class PlexState:
    """One attribute of the model: Keras tracks and wraps others, not this.

    Args:
        stock_config: the stock model, serialized before its conversion.
        conversion: what became of it.
        output_kinds: what each flat output is, names in `MIXTURES`.
        functions: compiled `predict` functions by what they return.
        validation_data: what the current `fit` validates on.
    """

    stock_config: Config
    conversion: Conversion
    output_kinds: tuple[str, ...]
    functions: dict[str, Callable | None] = dataclasses.field(
        default_factory=dict
    )
    validation_data: Data | None = None
