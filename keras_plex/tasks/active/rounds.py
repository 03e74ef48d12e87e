"""The loop of active learning: adapt, measure, choose, again."""

import zlib
from collections.abc import Callable
from typing import Any
from typing import NamedTuple
from typing import Protocol

import numpy as np

from keras_plex.predictions import Predictions
from keras_plex.tasks.active.acquisitions import SELECTIONS
from keras_plex.tasks.active.acquisitions import Selection
from keras_plex.tasks.active.acquisitions import needs_features
from keras_plex.tasks.active.acquisitions import rate
from keras_plex.tasks.active.log import Round
from keras_plex.tasks.active.log import RoundLog
from keras_plex.tasks.columns import forecast_columns
from keras_plex.tasks.columns import value_metrics
from keras_plex.tasks.few_shot.support import ranks_in_classes

# What is kept of each test example and round.
COLUMNS = ("right", "nll")


class Budget(NamedTuple):
    """How many labels: at first, at last, and more in each round."""

    initial: int
    budget: int
    batch: int


class Adaptation(Protocol):
    """What learns from labelled rows of the pool."""

    labels: dict[str, np.ndarray]

    def adapt(
        self, rows: np.ndarray, with_features: bool
    ) -> Callable[[str], Predictions]:
        """Forecasts for `"pool"` and `"test"`."""
        ...


def checked_budget(
    initial: int | None,
    budget: int | None,
    batch: int | None,
    labels: np.ndarray,
) -> Budget:
    """The numbers, with defaults for `None`; raises where they do not fit.

    Args:
        initial: defaults to 2 for each class.
        budget: defaults to 20 for each class, or the pool.
        batch: defaults to 2 for each class.
        labels: of the pool.
    """
    classes, size = len(np.unique(labels)), len(labels)
    if classes < 2:
        raise ValueError(
            "`pool` must hold examples of at least two classes. "
            f"Received: labels={np.unique(labels).tolist()}"
        )
    found = Budget(
        min(2 * classes, size) if initial is None else initial,
        min(20 * classes, size) if budget is None else budget,
        2 * classes if batch is None else batch,
    )
    if found.initial < classes:
        raise ValueError(
            "`initial` must be at least one label for each of the "
            f"{classes} classes of `pool`. Received: initial={found.initial}"
        )
    if not found.initial <= found.budget <= size:
        raise ValueError(
            "`budget` must lie between `initial` and the size of `pool`. "
            f"Received: budget={found.budget}, initial={found.initial}, "
            f"{size} examples"
        )
    return found


def run_rounds(
    acquisition: tuple[str, Any],
    adaptation: Adaptation,
    budget: Budget,
    log: RoundLog,
    *,
    selection: str,
    seed: int,
    on_round: Callable[[int], None],
) -> list[Round]:
    """The rounds of one acquisition, those of the log without adapting.

    What is drawn depends on the seed, the name and the number of the round
    alone, so that a run that goes on draws what it would have drawn.

    Args:
        acquisition: its name, and an entry of `ACQUISITIONS`.
        adaptation: what learns.
        budget: how many labels.
        log: where finished rounds are.
        selection: a key of `SELECTIONS`.
        seed: int.
        on_round: called with the number of labels after each round.
    """
    name, _ = acquisition
    labels = adaptation.labels["pool"]
    rows = initial_rows(labels, budget.initial, np.random.default_rng(seed))
    rounds: list[Round] = []
    while True:
        found = log.read(acquisition, len(rounds))
        # A round that was made again may have chosen others.
        if found is None or found.labelled != rows.tolist():
            source = [seed, zlib.crc32(name.encode()), len(rounds)]
            found = _make_round(
                acquisition,
                adaptation,
                budget,
                rows,
                SELECTIONS[selection],
                np.random.default_rng(source),
            )
            log.write(acquisition, len(rounds), found)
        rounds.append(found)
        on_round(len(rows))
        if not found.chosen:
            return rounds
        rows = np.array([*found.labelled, *found.chosen])


def initial_rows(
    labels: np.ndarray, count: int, generator: np.random.Generator
) -> np.ndarray:
    """Places of so many examples, drawn, as evenly from all classes as can be.

    Example:

    >>> labels = np.array([0, 0, 0, 0, 0, 1, 2, 2])
    >>> rows = initial_rows(labels, 5, np.random.default_rng(0))
    >>> np.bincount(labels[rows]).tolist()
    [2, 1, 2]
    """
    drawn = generator.permutation(len(labels))
    ranks = ranks_in_classes(labels[drawn])
    return drawn[np.argsort(ranks, kind="stable")[:count]]


def _make_round(
    acquisition: tuple[str, Any],
    adaptation: Adaptation,
    budget: Budget,
    rows: np.ndarray,
    select: Selection,
    generator: np.random.Generator,
) -> Round:
    _, function = acquisition
    labels = adaptation.labels["pool"]
    forecast = adaptation.adapt(rows, needs_features(function))
    columns = forecast_columns(
        forecast("test"), adaptation.labels["test"], value_metrics()
    )
    count, chosen = min(budget.batch, budget.budget - len(rows)), []
    if count:
        scores = rate(function, forecast("pool"), rows, labels[rows])
        # What is labelled is never asked for again.
        candidates = np.setdiff1d(np.arange(len(labels)), rows)
        places = select(scores[candidates], count, generator)
        chosen = candidates[places].tolist()
    return Round(
        rows.tolist(),
        chosen,
        {name: columns[name].tolist() for name in COLUMNS},
    )
