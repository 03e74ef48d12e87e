"""All that a `PlexModel` knows beyond its stock model."""

import dataclasses

from keras_plex.conversion.convert import Conversion
from keras_plex.models.member_state import MemberState
from keras_plex.types import Config


@dataclasses.dataclass(kw_only=True)
class PlexState(MemberState):
    """The state of a model with members, and where it comes from.

    Args:
        stock_config: the stock model, serialized before its conversion.
        conversion: what became of it.
        compiled_for: the weights that compiled functions were made for.
    """

    stock_config: Config
    conversion: Conversion
    compiled_for: list | None = None
