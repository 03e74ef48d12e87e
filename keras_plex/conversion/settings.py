"""The arguments of `plexify`, checked."""

import dataclasses
import math
import re
from collections.abc import Sequence

from keras_plex.conversion.heads import HEADS
from keras_plex.conversion.heads import check_head_options
from keras_plex.conversion.methods import METHODS
from keras_plex.layers.gp_arguments import is_integer
from keras_plex.layers.laplace_covariance import is_number
from keras_plex.ops.ensemble_axis import check_ensemble_size
from keras_plex.tables import lookup
from keras_plex.types import Config

DEFAULT_LAST_BLOCKS = 2
DEFAULT_FAST_WEIGHT_STDDEV = 0.1


@dataclasses.dataclass(frozen=True)
class Settings:
    """How to convert a model; the fields are `plexify`'s arguments."""

    ensemble_size: int = 3
    last_blocks: int | str = DEFAULT_LAST_BLOCKS
    ensemble_attention: bool = True
    method: str = "batch_ensemble"
    head: str | None = None
    head_options: Config | None = None
    fast_weight_stddev: float = DEFAULT_FAST_WEIGHT_STDDEV
    layers: Sequence[str] | None = None
    seed: int | None = None

    def __post_init__(self):
        check_ensemble_size(self.ensemble_size)
        lookup(METHODS, self.method, "method")
        if self.head is not None:
            lookup(HEADS, self.head, "head")
        check_head_options(self.head, self.head_options)
        self._check_stddev()
        self._check_seed()
        self._check_choice_of_layers()

    def _check_stddev(self) -> None:
        stddev = self.fast_weight_stddev
        if not is_number(stddev) or not 0 <= stddev < math.inf:
            raise ValueError(
                "`fast_weight_stddev` must be a number of at least 0; 0.0 "
                "makes every member equal to the stock model. "
                f"Received: fast_weight_stddev={stddev!r}"
            )

    def _check_seed(self) -> None:
        if self.seed is None:
            return
        if not is_integer(self.seed) or self.seed < 0:
            raise ValueError(
                "`seed` must be `None` or a non-negative integer. "
                f"Received: seed={self.seed!r}"
            )

    def _check_choice_of_layers(self) -> None:
        if not isinstance(self.ensemble_attention, bool):
            raise ValueError(
                "`ensemble_attention` must be True or False. "
                f"Received: ensemble_attention={self.ensemble_attention!r}"
            )
        if self.layers is not None:
            self._check_patterns()
            return
        blocks = self.last_blocks
        if blocks != "all" and not (is_integer(blocks) and blocks >= 1):
            raise ValueError(
                '`last_blocks` must be a positive integer or "all". '
                f"Received: last_blocks={blocks!r}"
            )

    def _check_patterns(self) -> None:
        patterns = self.layers or ()
        is_list = isinstance(patterns, (list, tuple)) and len(patterns) > 0
        if not is_list or not all(isinstance(p, str) for p in patterns):
            raise ValueError(
                "`layers` must be a non-empty list of regular expressions on "
                f"layer paths. Received: layers={self.layers!r}"
            )
        for pattern in patterns:
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(
                    "`layers` must hold regular expressions. "
                    f"Received: {pattern!r}, which is none: {error}"
                ) from error
        if self.last_blocks != DEFAULT_LAST_BLOCKS:
            raise ValueError(
                "`layers` chooses the layers itself: leave `last_blocks` out. "
                f"Received: layers={patterns!r}, "
                f"last_blocks={self.last_blocks!r}"
            )
        if not self.ensemble_attention:
            raise ValueError(
                "`layers` chooses the layers itself: leave "
                "`ensemble_attention` out. "
                f"Received: layers={patterns!r}, ensemble_attention=False"
            )
