"""Several scores, ready to be called, from one pass over the data."""

from collections.abc import Sequence

import keras

from keras_plex.scores.feature_score import FeatureScore
from keras_plex.scores.feature_score import fit_in_one_pass
from keras_plex.scores.table import Score
from keras_plex.scores.table import check_distinct
from keras_plex.scores.table import score
from keras_plex.scores.table import score_name
from keras_plex.types import Data


def fit_scores(
    names: Sequence[str | Score],
    model: keras.Model,
    dataset: Data,
    *,
    batch_size: int = 32,
    max_examples: int | None = None,
) -> dict[str, Score]:
    """Scores by name, the fitted ones fitted in one forward pass.

    Without a score that needs fitting, the data are not read.

    Args:
        names: names of scores. A `FeatureScore` with options of its own may
            stand in place of its name: it is fitted unless it is already.
        model: a `PlexModel` or another ensemble, or any Keras classifier.
        dataset: training data `(x, y)`, or batches of it.
        batch_size: for arrays. Defaults to `32`.
        max_examples: stop after the batch that reaches so many. Defaults to
            all.

    Example:

    >>> layers = [keras.layers.Dense(8, "relu"), keras.layers.Dense(2)]
    >>> model = keras.Sequential([keras.Input((4,)), *layers])
    >>> x = np.random.default_rng(0).normal(size=(64, 4))
    >>> scores = fit_scores(["msp", "mahalanobis"], model, (x, x[:, 0] > 0))
    >>> from keras_plex.models.batch_details import predict_batch
    >>> found = predict_batch(model, x[:5], features=True)
    >>> scores["mahalanobis"](found["features"]).shape
    (5,)
    """
    if isinstance(names, str):
        raise ValueError(
            "`names` must be a list of names. "
            f"Received: names={names!r}; did you mean [{names!r}]?"
        )
    check_distinct(names)
    found = {
        score_name(name): score(name) if isinstance(name, str) else name
        for name in names
    }
    unfitted = [
        one
        for one in found.values()
        if isinstance(one, FeatureScore) and not one.parameters
    ]
    if unfitted:
        fit_in_one_pass(
            unfitted, model, dataset, batch_size, max_examples=max_examples
        )
    return found
