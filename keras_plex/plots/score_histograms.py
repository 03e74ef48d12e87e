"""How well a score tells unknown inputs from known ones."""

from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import TYPE_CHECKING
from typing import NamedTuple

import numpy as np

from keras_plex.metrics.ranking import auroc
from keras_plex.metrics.ranking import fpr_at_tpr
from keras_plex.plots.figures import DARK
from keras_plex.plots.figures import GREY
from keras_plex.plots.figures import INK
from keras_plex.plots.figures import LINE_COLORS
from keras_plex.plots.figures import by_name
from keras_plex.plots.figures import legend_below
from keras_plex.plots.figures import new_figure
from keras_plex.plots.figures import shown
from keras_plex.plots.figures import thinned
from keras_plex.plots.figures import tidy
from keras_plex.plots.histograms import draw_histograms
from keras_plex.predictions import Predictions
from keras_plex.scores import ready_score
from keras_plex.scores import score_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Score = Callable[[Predictions], np.ndarray]
Scores = Sequence[str | Score] | Mapping[str, str | Score]


def score_histograms(
    known: Predictions | Mapping[str, Predictions],
    unknown: Predictions | Mapping[str, Predictions],
    scores: Scores = ("msp",),
) -> "Figure":
    """Draws a score on known and unknown inputs, and the ROC curve of the two.

    Left, the share of each kind in every bin of the score; the end bins hold
    what lies far beyond. Right, the share of the unknown inputs that a
    threshold finds against the share of the known ones that it flags. The
    title says the area under that curve (AUROC) and the flagged share where
    95 % are found (FPR95), which the circle marks.

    Args:
        known: predictions for inputs like the training data.
        unknown: predictions for other inputs; or several sets of them by name,
            one row of panels each. With several models, pass two dicts with
            the same names.
        scores: names of scores, see `keras_plex.scores`, or fitted scores, or
            a dict from name to either; one row of panels each. Defaults to
            `("msp",)`.

    Returns:
        A matplotlib `Figure` that belongs to no window and no global state.

    Example:

    >>> sure = Predictions.from_outputs(
    ...     np.array([[0.9, 0.1], [0.2, 0.8]]), "probabilities"
    ... )
    >>> unsure = Predictions.from_outputs(
    ...     np.array([[0.5, 0.5], [0.6, 0.4]]), "probabilities"
    ... )
    >>> figure = score_histograms(sure, {"noise": unsure})
    >>> figure.axes[1].get_title()
    'AUROC 1.000, FPR95 0.000'

    Reference:
        Hendrycks and Gimpel, 2017, "A baseline for detecting misclassified and
        out-of-distribution examples in neural networks".
    """
    functions = named_scores(scores)
    return draw_score_rows(
        [
            ScoreRow(
                set_name,
                name,
                np.asarray(function(known_set)),
                np.asarray(function(unknown_set)),
            )
            for set_name, known_set, unknown_set in _pairs(known, unknown)
            for name, function in functions.items()
        ]
    )


class ScoreRow(NamedTuple):
    """What one row of panels shows.

    Args:
        set_name: of the unknown inputs, or `""`.
        score_name: of the score.
        known: `(examples,)`, the score of known inputs.
        unknown: `(examples,)`, the score of unknown inputs.
    """

    set_name: str
    score_name: str
    known: np.ndarray
    unknown: np.ndarray


def draw_score_rows(rows: Sequence[ScoreRow]) -> "Figure":
    """The diagram of scores that are computed already."""
    figure = new_figure(8.0, 0.6 + 3.1 * len(rows))
    panels = figure.subplots(
        len(rows), 2, squeeze=False, width_ratios=(1.5, 1.0)
    )
    for row, (left, right) in zip(rows, panels, strict=True):
        draw_histograms(left, {"Known": row.known, "Unknown": row.unknown})
        name = shown(row.score_name)
        left.set_xlabel(f"Score: {name}")
        title = f"{len(row.known):,} known, {len(row.unknown):,} unknown"
        title = f"{shown(row.set_name)}\n{title}" if row.set_name else title
        left.set_title(title, fontsize="medium")
        _draw_roc(right, row.known, row.unknown)
    legend_below(figure, *panels[0], num_columns=3)
    return figure


def named_scores(scores: Scores) -> dict[str, Score]:
    """Scores by name, each ready to be called."""
    if isinstance(scores, str) or not isinstance(scores, Sequence | Mapping):
        raise ValueError(
            "`scores` must be a list of names or fitted scores, or a dict from "
            f"name to either. Received: scores={scores!r}"
        )
    if isinstance(scores, Mapping):
        names, entries = list(map(str, scores)), scores.values()
    else:
        names, entries = list(map(score_name, scores)), scores
    found = dict(zip(names, map(ready_score, entries), strict=True))
    if not found or len(found) < len(names):
        raise ValueError(
            "`scores` must hold at least one score, and each a name of its "
            "own; pass a dict from name to score to choose them. "
            f"Received: {names}"
        )
    return found


def _pairs(
    known: Predictions | Mapping[str, Predictions],
    unknown: Predictions | Mapping[str, Predictions],
) -> list[tuple[str, Predictions, Predictions]]:
    """The sets to compare, as `(name, known, unknown)`."""
    sets = by_name(unknown, "unknown")
    if isinstance(known, Mapping):
        models = by_name(known, "known")
        if set(models) != set(sets):
            raise ValueError(
                "`known` and `unknown` must hold the same names, those of the "
                f"models. Received: {sorted(models)} and {sorted(sets)}"
            )
    else:
        models = dict.fromkeys(sets, known)
    for argument, items in (("known", models), ("unknown", sets)):
        for item in items.values():
            if not isinstance(item, Predictions):
                raise ValueError(
                    f"`{argument}` must be `Predictions`, which "
                    "`Predictions.from_outputs` makes of any model's outputs. "
                    f"Received: {type(item).__name__}"
                )
    return [(name, models[name], item) for name, item in sets.items()]


def _draw_roc(axes: "Axes", known: np.ndarray, unknown: np.ndarray) -> None:
    from sklearn.metrics import roc_curve

    scores = np.concatenate([known, unknown])
    is_ood = np.arange(len(scores)) >= len(known)
    area, flagged = auroc(scores, is_ood), fpr_at_tpr(scores, is_ood)
    # Ranks, since scikit-learn refuses infinite scores.
    _, ranks = np.unique(scores, return_inverse=True)
    # All points, or the one of the circle may be missing.
    false_rates, true_rates, _ = roc_curve(
        is_ood, ranks, drop_intermediate=False
    )
    found = true_rates[true_rates >= 0.95][0]
    kept = thinned(len(false_rates))
    axes.plot((0, 1), (0, 1), ":", color=GREY, linewidth=1.2)
    axes.axhline(0.95, linestyle="--", color=GREY, linewidth=0.8)
    axes.plot(
        false_rates[kept],
        true_rates[kept],
        color=LINE_COLORS[0],
        linewidth=1.8,
        clip_on=False,
    )
    axes.plot(
        flagged,
        found,
        "o",
        color=DARK,
        markeredgecolor=INK,
        markersize=6,
        clip_on=False,
        label="FPR95: 95 % found",
    )
    axes.set(
        xlim=(0, 1),
        ylim=(0, 1),
        xlabel="Known flagged",
        ylabel="Unknown found",
    )
    axes.set_title(f"AUROC {area:.3f}, FPR95 {flagged:.3f}", fontsize="medium")
    tidy(axes)
