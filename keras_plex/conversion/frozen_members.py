"""Members in frozen layers stay as they start: a warning says so."""

import warnings

from keras_plex.conversion.convert import Conversion
from keras_plex.conversion.methods import METHODS

UNFREEZE = "Call `freeze_shared_weights()` on the converted model to train them"


def warn_about_frozen_members(conversion: Conversion, stacklevel: int) -> None:
    """Warns if members would stay as they start."""
    head = conversion.head.layer if conversion.head else None
    members = [x for x in conversion.converted if x is not head]
    frozen = [layer.path for layer in members if not layer.trainable]
    settings = conversion.settings
    if METHODS[settings.method].starts_neutral:
        what_follows = (
            "their members equal each other and cannot learn to differ. "
            f"{UNFREEZE}; their kernels stay frozen."
        )
    elif settings.fast_weight_stddev == 0:
        return
    else:
        what_follows = (
            "their members start away from the stock weights and cannot "
            f"learn. {UNFREEZE} while the stock weights stay frozen, or pass "
            "`fast_weight_stddev=0.0`."
        )
    if frozen:
        warnings.warn(
            f"{len(frozen)} of {len(members)} converted layers are frozen "
            f"(trainable=False), such as {frozen[0]!r}: {what_follows}",
            stacklevel=stacklevel,
        )
