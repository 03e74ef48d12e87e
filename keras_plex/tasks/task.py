"""What every task is: data, what it measures on them, in two steps."""

from collections.abc import Sequence
from typing import Any

import keras

from keras_plex.scores import Score
from keras_plex.tasks.collect import OnProgress
from keras_plex.tasks.collect import collect_evidence
from keras_plex.tasks.data_set import DataSet
from keras_plex.tasks.examples import Evidence
from keras_plex.types import Config
from keras_plex.types import Data

CATEGORIES = ("uncertainty", "robust generalization", "adaptation")


class Task:
    """Base of the reliability tasks: what is measured, and on which data.

    It works in two steps. `predict(model)` passes each data set through the
    model once and keeps a few numbers for each example; `measure(evidence)`
    turns them into named numbers, as often as a bootstrap needs.
    `keras_plex.evaluate` does both, for many tasks at once.

    A subclass sets the class attributes, gives its data sets in `data_sets`
    and its numbers in `measure`. Names end in a key of `MEASURES`, which says
    which way is better: `"mnist/msp/auroc"`.

    A subclass that must do more than look at forecasts, such as adapt the model
    to new classes, has a `predict` of its own with these arguments, and shares
    no passes. It may train copies and small heads; the model that it is given
    stays as it is. What it draws at random follows from a seed of its own, so
    that two models are measured on the same draw.

    Args:
        name: what the results are called, where one task is there twice.
            Defaults to that of the class.

    Attributes:
        kind: the key in `TASKS`.
        category: one of `CATEGORIES`.
        headline: the measure to look at first.
        scored: the measures that go into `Report.reliability_score`.
    """

    kind = ""
    category = ""
    headline = ""
    scored: tuple[str, ...] = ()

    def __init__(self, *, name: str | None = None):
        if name is not None and not isinstance(name, str):
            raise ValueError(
                f"`name` must be a string or `None`. Received: name={name!r}"
            )
        self.name = name or self.kind

    def data_sets(self) -> dict[str, DataSet]:
        """What is to be passed through the model, by name."""
        raise NotImplementedError

    def scores(self, model: keras.Model) -> Sequence[str | Score]:
        """The scores that `measure` reads, as columns `"score/NAME"`."""
        return ()

    def training_data(self) -> Data | None:
        """What scores of features are fitted to."""
        return None

    def settings(self) -> Config:
        """What a `predict` of its own depends on beside model and data sets.

        `evaluate(directory=...)` uses kept evidence only while these are as
        they were. By default all attributes; a subclass leaves out what does
        not matter, such as a cache.
        """
        return dict(vars(self))

    def predict(
        self,
        model: keras.Model,
        *,
        batch_size: int = 32,
        max_examples: int | None = None,
        on_progress: OnProgress | None = None,
    ) -> Evidence:
        """What the model says about the data, from one pass over each set.

        Args:
            model: a `PlexModel` or another ensemble, or any Keras classifier.
            batch_size: for arrays. Defaults to `32`.
            max_examples: of each set, the first ones. Defaults to all.
            on_progress: called with the name of a set, how many of its examples
                are done, and of how many if that is known.
        """
        [evidence] = collect_evidence(
            model,
            [self],
            batch_size=batch_size,
            max_examples=max_examples,
            on_progress=on_progress,
        )
        return evidence

    def measure(self, evidence: Evidence) -> dict[str, float]:
        """The numbers; NaN where the examples at hand allow none."""
        raise NotImplementedError

    def curves(self, evidence: Evidence) -> dict[str, Any]:
        """Small arrays to draw, as lists; nothing by default."""
        return {}
