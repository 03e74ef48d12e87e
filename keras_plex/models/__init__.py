"""Models with members: several side by side, or one with dropout left on.

And a T5 that classifies, which KerasHub lacks.
"""

from keras_plex.hub.late_classes import LATE_CLASSES
from keras_plex.hub.late_classes import late_class
from keras_plex.models.deep_ensemble import DeepEnsemble as DeepEnsemble
from keras_plex.models.mc_dropout import MCDropout as MCDropout


def __getattr__(name: str) -> type:
    return late_class(name)


def __dir__() -> list[str]:
    return sorted([*globals(), *LATE_CLASSES])
