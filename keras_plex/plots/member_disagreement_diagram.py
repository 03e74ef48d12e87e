"""How the members of an ensemble differ, and where."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from keras_plex.metrics.array_checks import check_labels
from keras_plex.metrics.group_arrays import member_disagreement
from keras_plex.metrics.ranking import auroc
from keras_plex.plots.figures import by_name
from keras_plex.plots.figures import legend_below
from keras_plex.plots.figures import new_figure
from keras_plex.plots.figures import titled
from keras_plex.plots.histograms import draw_histograms
from keras_plex.predictions import Predictions

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# More cells than these leave no room for a number in each.
MAX_NUMBERED = 6
MAX_TICKS = 10


def member_disagreement_diagram(
    predictions: Predictions | Mapping[str, Predictions],
    labels: ArrayLike | None = None,
) -> "Figure":
    """Draws how often members differ in pairs, and by how much per example.

    Left, the share of the examples on which two members name different labels.
    Then, over the examples, the mutual information (nats) and the share of
    pairs of members that differ. With `labels` these are split into right and
    wrong forecasts, and the titles say how well each tells them apart: the
    probability that a wrong forecast has the larger value (AUROC).

    Args:
        predictions: `Predictions` of at least two members; or several by name,
            one row of panels each.
        labels: `(examples,)` class indices, or `(examples, classes)` one-hot
            or soft labels, whose largest class counts. Defaults to none.

    Returns:
        A matplotlib `Figure` that belongs to no window and no global state.

    Example:

    >>> members = np.array([[[0.9, 0.1], [0.8, 0.2]], [[0.6, 0.4], [0.3, 0.7]]])
    >>> predictions = Predictions.from_outputs(members, "probabilities")
    >>> figure = member_disagreement_diagram(predictions, labels=[0, 0])
    >>> figure.axes[0].get_title()
    'Mean disagreement 0.500'

    Reference:
        Fort, Hu and Lakshminarayanan, 2019, "Deep ensembles: a loss landscape
        perspective".
    """
    named = by_name(predictions)
    for name, item in named.items():
        _check_members(name, item)
    figure = new_figure(11.5, 0.6 + 3.3 * len(named))
    panels = figure.subplots(len(named), 3, squeeze=False)
    for (name, item), (matrix, *rest) in zip(
        named.items(), panels, strict=True
    ):
        _draw_matrix(matrix, pairwise_disagreement(item))
        mean = member_disagreement(item.member_probabilities)
        matrix.set_title(
            titled(name, f"Mean disagreement {mean:.3f}"), fontsize="medium"
        )
        is_wrong = None if labels is None else _is_wrong(item, labels)
        for axes, title, values in zip(
            rest,
            ("Mutual information", "Differing pairs"),
            (item.mutual_information, item.disagreement),
            strict=True,
        ):
            _draw_values(axes, title, values, is_wrong)
    legend_below(figure, panels[0, 1], num_columns=2)
    return figure


def pairwise_disagreement(predictions: Predictions) -> np.ndarray:
    """Share of examples on which members differ, `(ensemble, ensemble)`."""
    # (batch, ensemble, classes) -> (batch, ensemble)
    labels = predictions.member_probabilities.argmax(-1)
    return np.stack(
        [np.mean(labels != member[:, None], axis=0) for member in labels.T]
    )


def _check_members(name: str, predictions: Predictions) -> None:
    where = f"`predictions[{name!r}]`" if name else "`predictions`"
    if not isinstance(predictions, Predictions):
        raise ValueError(
            f"{where} must be `Predictions`, which `predict_uncertainty` "
            f"returns. Received: {type(predictions).__name__}"
        )
    if predictions.member_probabilities.shape[1] < 2:
        raise ValueError(
            f"{where} must come from at least two members: one cannot differ "
            "from itself. Received: 1 member"
        )
    if not len(predictions):
        raise ValueError(f"{where} holds no example: there is nothing to draw.")


def _is_wrong(predictions: Predictions, labels: ArrayLike) -> np.ndarray:
    labels = np.asarray(labels)
    check_labels(labels, *predictions.probabilities.shape)
    is_soft = labels.shape == predictions.probabilities.shape
    classes = labels.argmax(-1) if is_soft else labels.reshape(-1)
    return predictions.labels != classes


def _draw_matrix(axes: "Axes", matrix: np.ndarray) -> None:
    size = len(matrix)
    off_diagonal = np.where(np.eye(size, dtype=bool), np.nan, matrix)
    highest = float(np.nanmax(off_diagonal)) or 1.0
    # Light to dark in one hue: the order survives in grey.
    axes.imshow(off_diagonal, cmap="Blues", vmin=0.0, vmax=highest)
    if size <= MAX_NUMBERED:
        for row, column in np.argwhere(~np.isnan(off_diagonal)):
            value = off_diagonal[row, column]
            axes.text(
                column,
                row,
                f"{value:.3f}",
                ha="center",
                va="center",
                fontsize="small",
                color="white" if value > 0.6 * highest else "black",
            )
    step = -(-size // MAX_TICKS)
    axes.set_xticks(range(0, size, step))
    axes.set_yticks(range(0, size, step))
    axes.set(xlabel="Member", ylabel="Member")
    axes.figure.colorbar(axes.images[0], ax=axes, label="Share that differs")


def _draw_values(
    axes: "Axes", name: str, values: np.ndarray, is_wrong: np.ndarray | None
) -> None:
    axes.set_title(name, fontsize="medium")
    if is_wrong is None:
        draw_histograms(axes, {"All forecasts": values})
    else:
        kinds = {"Right": values[~is_wrong], "Wrong": values[is_wrong]}
        draw_histograms(axes, kinds)
        if 0 < is_wrong.sum() < len(values):
            area = auroc(values, is_wrong)
            axes.set_title(f"{name}: AUROC {area:.3f}", fontsize="medium")
    axes.set_xlabel(name)
