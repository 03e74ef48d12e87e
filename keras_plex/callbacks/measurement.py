"""One measurement of a model: each set passes once, for all the numbers."""

import dataclasses
from collections.abc import Mapping
from collections.abc import Sequence

import keras
import numpy as np

from keras_plex.predictions import Predictions
from keras_plex.scores import Score
from keras_plex.scores import fit_scores
from keras_plex.scores import needs_features
from keras_plex.tasks.arguments import with_name_of_set
from keras_plex.tasks.measurements import measure_forecasts
from keras_plex.tasks.measurements import measure_ranking
from keras_plex.tasks.measurements import predict_data
from keras_plex.types import Data


class NotFiniteError(ValueError):
    """The model's outputs are NaN or infinite."""


class Measurement:
    """What a model says about named sets, and the numbers made of it.

    Args:
        model: any Keras classifier.
        batch_size: for arrays.
        max_examples: of each set, rounded up to whole batches; or `None`.
        verbose: 0 or 1; 1 shows progress.

    Attributes:
        predictions: from the name of a set to `Predictions` without features,
            and labels or `None`.
        score_values: from the name of a set to a dict from score to values.
    """

    def __init__(
        self,
        model: keras.Model,
        *,
        batch_size: int,
        max_examples: int | None,
        verbose: int = 0,
    ):
        self.model = model
        self.batch_size = batch_size
        self.max_examples = max_examples
        self.verbose = verbose
        self.predictions: dict[str, tuple[Predictions, np.ndarray | None]] = {}
        self.score_values: dict[str, dict[str, np.ndarray]] = {}

    def take(
        self,
        validation: Data,
        ood: Mapping[str, Data],
        shifted: Mapping[str, Data],
        scores: Sequence[str | Score],
        training: Data | None,
    ) -> dict[str, float]:
        """The numbers by name, as `ReliabilityMonitor` logs them.

        Args:
            validation: labelled data.
            ood: unknown data by name.
            shifted: labelled data by name.
            scores: names, or fitted scores.
            training: labelled data that scores of features are fitted to.
        """
        has_features = bool(ood) and any(map(needs_features, scores))
        known, labels = self._predict("validation", validation, has_features)
        measured = measure_forecasts(known, _present(labels, "validation"))
        values = {f"val_{name}": value for name, value in measured.items()}
        del values["val_accuracy"]  # `fit` has its own
        for name, data in shifted.items():
            where = f"shifted/{name}"
            found, labels = self._predict(where, data, False)
            measured = measure_forecasts(found, _present(labels, name))
            for metric, value in measured.items():
                values[f"{where}_{metric}"] = value
        if not ood:
            return values
        functions = self._fit(scores, training)
        known_scores = self._score("validation", known, functions)
        for name, data in ood.items():
            where = f"ood/{name}"
            found, _ = self._predict(where, data, has_features)
            for score_name, unknown in self._score(
                where, found, functions
            ).items():
                measured = with_name_of_set(
                    name, measure_ranking, known_scores[score_name], unknown
                )
                for metric, value in measured.items():
                    values[f"{where}/{score_name}_{metric}"] = value
        return values

    def _predict(
        self, where: str, data: Data, features: bool
    ) -> tuple[Predictions, np.ndarray | None]:
        name = where.rpartition("/")[2]
        bar = self._progress_bar(where)
        found, labels = with_name_of_set(
            name,
            predict_data,
            self.model,
            data,
            batch_size=self.batch_size,
            max_examples=self.max_examples,
            features=features,
            on_batch=None if bar is None else bar.update,
        )
        if bar is not None:
            bar.target = len(found)
            bar.update(len(found), finalize=True)
        if not np.isfinite(found.probabilities).all():
            raise NotFiniteError(
                f"The model's outputs for the set {name!r} are NaN or infinite."
            )
        # Features take the most memory, and are done with when scored.
        kept = dataclasses.replace(found, features=None)
        self.predictions[where] = kept, labels
        return found, labels

    def _fit(
        self, scores: Sequence[str | Score], training: Data | None
    ) -> dict[str, Score]:
        return with_name_of_set(
            "training",
            fit_scores,
            scores,
            self.model,
            training,
            batch_size=self.batch_size,
            max_examples=self.max_examples,
        )

    def _score(
        self, where: str, found: Predictions, functions: Mapping[str, Score]
    ) -> dict[str, np.ndarray]:
        name = where.rpartition("/")[2]
        self.score_values[where] = {
            score_name: with_name_of_set(name, function, found)
            for score_name, function in functions.items()
        }
        return self.score_values[where]

    def _progress_bar(self, where: str) -> keras.utils.Progbar | None:
        if not self.verbose:
            return None
        print(f"\n{where}")
        return keras.utils.Progbar(target=None, unit_name="example")


def _present(labels: np.ndarray | None, name: str) -> np.ndarray:
    if labels is None:
        raise ValueError(
            f"The set {name!r} needs labels: pass `(x, y)` or a data set of "
            "such batches."
        )
    return labels
