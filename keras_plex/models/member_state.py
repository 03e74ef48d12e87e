"""All that a model with members knows beyond its stock class."""

import dataclasses
from collections.abc import Callable

from keras_plex.calibration.calibrator import Calibrator
from keras_plex.calibration.conformal_sets import ConformalSets
from keras_plex.conversion.heads import Head
from keras_plex.models.output_sources import Source
from keras_plex.types import Data


@dataclasses.dataclass(kw_only=True)
class MemberState:
    """One attribute of the model: Keras tracks and wraps others, not this.

    Args:
        ensemble_size: the number of members.
        member_outputs: for each flat output whether its rows are members'.
        heads: the layer that makes each flat output, where it is known.
        output_kinds: what each flat output is, names in `MIXTURES`.
        sources: what tells the kind of each flat output, where it is known.
        unsure_outputs: numbers of the flat outputs whose kind is a guess.
        functions: compiled `predict` functions by what they return.
        asked: what the current `predict` returns, if not what the pass says.
        training_data: what the current `fit` learns from, where it ends by
            itself.
        validation_data: what the current `fit` validates on.
        calibrator: what makes forecasts as sure as they are right.
        conformal_sets: what makes sets of classes of forecasts.
    """

    ensemble_size: int
    member_outputs: tuple[bool, ...]
    heads: list[Head | None]
    output_kinds: tuple[str, ...]
    sources: list[Source | None] = dataclasses.field(
        default_factory=lambda: [None]
    )
    unsure_outputs: tuple[int, ...] = ()
    functions: dict[str, Callable | None] = dataclasses.field(
        default_factory=dict
    )
    asked: str | None = None
    training_data: Data | None = None
    validation_data: Data | None = None
    calibrator: Calibrator | None = None
    conformal_sets: ConformalSets | None = None
