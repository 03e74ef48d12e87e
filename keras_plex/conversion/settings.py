"""The arguments of `plexify`, checked."""

import dataclasses
import math
import re
from collections.abc import Sequence

from keras_plex.checks import check_seed
from keras_plex.checks import is_integer
from keras_plex.checks import is_number
from keras_plex.conversion.context import with_kernel_inputs
from keras_plex.conversion.heads import HEADS
from keras_plex.conversion.heads import check_head_options
from keras_plex.conversion.methods import METHODS
from keras_plex.conversion.methods import checked_method_options
from keras_plex.ops.ensemble_axis import check_ensemble_size
from keras_plex.tables import lookup
from keras_plex.types import Config

DEFAULT_LAST_BLOCKS = 2
DEFAULT_METHOD = "batch_ensemble"
DEFAULT_FAST_WEIGHT_STDDEV = 0.1


@dataclasses.dataclass(frozen=True)
class Settings:
    """How to convert a model; the fields are `plexify`'s arguments."""

    ensemble_size: int = 3
    last_blocks: int | str = DEFAULT_LAST_BLOCKS
    ensemble_attention: bool = True
    method: str = DEFAULT_METHOD
    method_options: Config | None = None
    head: str | None = None
    head_options: Config | None = None
    fast_weight_stddev: float | None = None
    layers: Sequence[str] | None = None
    seed: int | None = None

    @property
    def makes_members(self) -> bool:
        """Whether any layer below the output layer gets members."""
        return self.last_blocks != 0

    @property
    def convertible_classes(self) -> tuple[type, ...]:
        """The stock classes that get members, some only if they are named."""
        method = METHODS[self.method]
        named = self.layers is not None
        return tuple(method.all_layers if named else method.layers)

    def with_defaults(self, default_head: str = "gp") -> "Settings":
        """The settings with the default head and stddev filled in.

        A Laplace head leaves the model as it is unless members are asked for.

        Args:
            default_head: of the model's family.
        """
        head = default_head if self.head is None else self.head
        stddev = self.fast_weight_stddev
        if stddev is not None:
            return dataclasses.replace(self, head=head)
        if head == "laplace" and not self._chooses_method:
            self._check_nothing_chosen()
            return dataclasses.replace(
                self, head=head, last_blocks=0, fast_weight_stddev=0.0
            )
        method = METHODS[self.method]
        if method.starts_neutral or not self.makes_members:
            stddev = 0.0
        elif method.initializer not in (self.method_options or {}):
            stddev = DEFAULT_FAST_WEIGHT_STDDEV
        return dataclasses.replace(self, head=head, fast_weight_stddev=stddev)

    def with_kernel_inputs(self, joins: bool) -> "Settings":
        """The settings with what the Gaussian process compares filled in."""
        options = with_kernel_inputs(self.head_options or {}, joins)
        return dataclasses.replace(self, head_options=options)

    @property
    def _chooses_method(self) -> bool:
        return self.method != DEFAULT_METHOD or bool(self.method_options)

    def _check_nothing_chosen(self) -> None:
        is_default = self.last_blocks in (DEFAULT_LAST_BLOCKS, 0)
        if self.layers is None and is_default and self.ensemble_attention:
            return
        raise ValueError(
            '`head="laplace"` needs no training and makes no members by '
            "itself. To choose layers that get members, pass "
            "`fast_weight_stddev` too, or another `method`, and train. "
            f"Received: last_blocks={self.last_blocks!r}, "
            f"layers={self.layers!r}, "
            f"ensemble_attention={self.ensemble_attention}"
        )

    def __post_init__(self):
        check_ensemble_size(self.ensemble_size)
        lookup(METHODS, self.method, "method")
        # Whatever it came as, a file can hold it.
        options = checked_method_options(self.method, self.method_options)
        object.__setattr__(self, "method_options", options)
        if self.head is not None:
            lookup(HEADS, self.head, "head")
        check_head_options(self.head, self.head_options)
        self._check_stddev()
        check_seed(self.seed)
        self._check_choice_of_layers()

    def _check_stddev(self) -> None:
        stddev = self.fast_weight_stddev
        if stddev is None:
            return
        if not is_number(stddev) or not 0 <= stddev < math.inf:
            raise ValueError(
                "`fast_weight_stddev` must be `None` or a number of at least "
                "0; 0.0 makes every member equal to the stock model. "
                f"Received: fast_weight_stddev={stddev!r}"
            )
        method = METHODS[self.method]
        if method.starts_neutral and stddev != 0:
            raise ValueError(
                f"The method {self.method!r} has no fast weights: its members "
                "start as the stock model. Leave `fast_weight_stddev` out. "
                f"Received: fast_weight_stddev={stddev!r}"
            )
        if method.initializer in (self.method_options or {}) and (
            not method.starts_neutral
        ):
            raise ValueError(
                f"`{method.initializer}` says where the members start: leave "
                "`fast_weight_stddev` out. Received: "
                f"fast_weight_stddev={stddev!r}, "
                f"method_options={self.method_options!r}"
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
        if blocks != "all" and not (is_integer(blocks) and blocks >= 0):
            raise ValueError(
                '`last_blocks` must be a non-negative integer or "all". '
                f"Received: last_blocks={blocks!r}"
            )
        if blocks == 0:
            self._check_head_alone()

    def _check_head_alone(self) -> None:
        if self.head == "keep":
            raise ValueError(
                "`last_blocks=0` converts the output layer alone, which "
                '`head="keep"` keeps: nothing would change. Received: '
                f"last_blocks=0, head={self.head!r}"
            )
        if self.ensemble_size > 1 and self.head != "laplace":
            raise ValueError(
                "`last_blocks=0` makes no members: all would be equal. Pass "
                "`ensemble_size=1`. Received: last_blocks=0, "
                f"ensemble_size={self.ensemble_size}"
            )
        if not self.ensemble_attention or self.fast_weight_stddev:
            raise ValueError(
                "`last_blocks=0` makes no members: leave `ensemble_attention` "
                "and `fast_weight_stddev` out. Received: last_blocks=0, "
                f"ensemble_attention={self.ensemble_attention}, "
                f"fast_weight_stddev={self.fast_weight_stddev}"
            )
        if self._chooses_method:
            raise ValueError(
                "`last_blocks=0` makes no members: leave `method` and "
                "`method_options` out. Received: last_blocks=0, "
                f"method={self.method!r}, "
                f"method_options={self.method_options!r}"
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
