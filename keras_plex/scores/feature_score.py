"""What scores have in common that compare features with training data."""

import pathlib
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_plex.batches import check_rereadable
from keras_plex.batches import iterate_batches
from keras_plex.models.batch_details import predict_batch
from keras_plex.models.classifiers import output_kind
from keras_plex.predictions import Predictions
from keras_plex.scores.fields import Fields
from keras_plex.scores.fields import same_kind
from keras_plex.scores.files import write_score
from keras_plex.types import Config
from keras_plex.types import Data
from keras_plex.types import Tensor


class FeatureScore:
    """Base of the scores that are fitted to the features of training data.

    `fit(model, dataset)` reads the data once. Where the features are at hand,
    `update(predictions, labels)` takes them batch by batch, in any order, and
    `finish()` ends it. Calling the fitted score on `Predictions` with features
    gives `(batch,)`: higher = more likely out of distribution.

    A subclass says what it keeps of a batch (`observe`), what it makes of that
    (`solve`) and what it computes from it (`compute`).

    Example:

    >>> from keras_plex.scores import Mahalanobis
    >>> score = Mahalanobis(ridge=0.0)
    >>> x = np.array([[-2.0, 1], [0, 1], [-1, 0], [-1, 2], [9, 1], [11, 1]])
    >>> score.update(x, labels=[0, 0, 0, 0, 1, 1])
    >>> score.finish()
    >>> score(np.array([[-1.0, 1.0], [10.0, 2.0]])).round(3)
    array([0., 3.], dtype=float32)
    """

    # The key in `SCORES`, by which a file finds the class again.
    name = ""

    def __init__(self):
        self.parameters: dict[str, np.ndarray] = {}
        self.feature_shape: tuple[int, int] | None = None
        self._observed_shape: tuple[int, int] | None = None

    def fit(
        self,
        model: keras.Model,
        dataset: Data,
        batch_size: int = 32,
        *,
        max_examples: int | None = None,
    ) -> "FeatureScore":
        """Fits to what the model makes of a data set, in one pass.

        Args:
            model: a `PlexModel` or another ensemble, or any Keras classifier.
            dataset: training data `(x, y)`, or batches of it.
            batch_size: for arrays. Defaults to `32`.
            max_examples: stop after the batch that reaches so many. Defaults
                to all.
        """
        fit_in_one_pass(
            [self], model, dataset, batch_size, max_examples=max_examples
        )
        return self

    def update(self, predictions: Fields, labels: Any = None) -> None:
        """Takes a batch in.

        Args:
            predictions: `Predictions` with `features`; or the features alone,
                `(batch, ensemble, dim)` or `(batch, dim)`.
            labels: sparse, `(batch, 1)`, one-hot or soft.
        """
        if self.parameters:
            raise ValueError(
                f'Score "{self.name}" is fitted already. Make a new one: '
                f'`score("{self.name}")`.'
            )
        features = ops.convert_to_numpy(features_of(predictions, self.name))
        features = features.astype("float64")
        shape = features.shape[1:]
        if not np.isfinite(features).all():
            raise ValueError(
                "`features` must be finite. Received: NaN or infinity"
            )
        _check_shape(self._observed_shape or shape, shape)
        if len(features):
            self.observe(features, predictions, labels)
            self._observed_shape = shape

    def finish(self) -> None:
        """Makes what was seen into the fitted score."""
        if self._observed_shape is None:
            raise ValueError(
                f'Score "{self.name}" has seen no data. Call `update` first.'
            )
        self.parameters = {
            name: np.asarray(array, "float32")
            for name, array in self.solve().items()
        }
        self.feature_shape = self._observed_shape
        self.forget()

    def __call__(
        self, predictions: Fields, parameters: dict[str, Tensor] | None = None
    ) -> Tensor:
        check_fitted(self)
        features = features_of(predictions, self.name)
        _check_shape(self.feature_shape, tuple(features.shape[1:]))
        if parameters is None and isinstance(features, np.ndarray):
            return self.compute_arrays(features, predictions)
        features = ops.cast(ops.convert_to_tensor(features), "float32")
        parameters = parameters or as_tensors(self.parameters)
        return self.compute(parameters, features, predictions)

    def observe(
        self, features: np.ndarray, predictions: Fields, labels: Any
    ) -> None:
        """Keeps what it needs of `(batch, ensemble, dim)` float64 features."""
        raise NotImplementedError

    def solve(self) -> dict[str, Any]:
        """The parameters, from what was observed."""
        raise NotImplementedError

    def compute(
        self,
        parameters: dict[str, Tensor],
        features: Tensor,
        predictions: Fields,
    ) -> Tensor:
        """`(batch,)` from `(batch, ensemble, dim)`, in `keras.ops`."""
        raise NotImplementedError

    def compute_arrays(
        self, features: np.ndarray, predictions: Fields
    ) -> np.ndarray:
        """`compute` for arrays."""
        tensor = ops.convert_to_tensor(features, dtype="float32")
        parameters = as_tensors(self.parameters)
        values = self.compute(parameters, tensor, predictions)
        return same_kind(values, features)

    def forget(self) -> None:
        """Drops what was observed."""
        self._observed_shape = None

    def use_model(self, model: keras.Model) -> None:
        """What `fit` tells the score about the model; nothing by default."""

    def get_config(self) -> Config:
        return {}

    @classmethod
    def from_config(cls, config: Config) -> "FeatureScore":
        return cls(**config)

    def save(self, path: str | pathlib.Path) -> None:
        """Writes the fitted score to a file, which `load_score` reads."""
        check_fitted(self)
        write_score(
            path,
            {
                "name": self.name,
                "config": self.get_config(),
                "feature_shape": list(self.feature_shape or ()),
            },
            self.parameters,
        )


def check_fitted(score: FeatureScore) -> None:
    """Raises, with the way to fit it, unless the score is fitted."""
    if not score.parameters:
        raise ValueError(
            f'Score "{score.name}" is not fitted. Fit it to training data '
            f'first: `fit_scores(["{score.name}"], model, dataset)'
            f'["{score.name}"]`, or `score("{score.name}").fit(model, '
            "dataset)`, and pass what that returns."
        )


def fit_in_one_pass(
    scores: Sequence[FeatureScore],
    model: keras.Model,
    dataset: Data,
    batch_size: int = 32,
    *,
    max_examples: int | None = None,
) -> None:
    """Fits all to the features of one forward pass over the data.

    A score that was fitted before stays as it was if the pass fails.
    """
    if dataset is None:
        raise ValueError(
            f'Score "{scores[0].name}" is fitted to training data: pass '
            "`(x, y)`, or batches of it. Received: dataset=None"
        )
    check_rereadable(dataset, "dataset")
    kind = output_kind(model)
    before = [(score.parameters, score.feature_shape) for score in scores]
    try:
        for score in scores:
            score.forget()
            score.parameters = {}
            score.use_model(model)
        count = 0
        for x, y, _ in iterate_batches(dataset, batch_size):
            found = predict_batch(model, x, features=True)
            predictions = Predictions.from_outputs(
                found["outputs"], kind, features=found["features"]
            )
            for score in scores:
                score.update(predictions, y)
            count += len(predictions)
            if max_examples is not None and count >= max_examples:
                break
        for score in scores:
            score.finish()
    except BaseException:
        for score, (parameters, shape) in zip(scores, before, strict=True):
            score.forget()
            score.parameters, score.feature_shape = parameters, shape
        raise


def as_tensors(parameters: dict[str, np.ndarray]) -> dict[str, Tensor]:
    """The parameters as tensors of the backend."""
    return {
        name: ops.convert_to_tensor(array) for name, array in parameters.items()
    }


def features_of(predictions: Fields, score_name: str) -> Tensor:
    """Features `(batch, ensemble, dim)` of predictions, or of features."""
    is_array = isinstance(predictions, np.ndarray) or ops.is_tensor(predictions)
    found = predictions if is_array else predictions.features
    if found is None:
        raise ValueError(
            f'Score "{score_name}" needs `features`, which these predictions '
            "lack. Ask for them: `model.predict_uncertainty(x, features=True)`."
        )
    if len(found.shape) == 2:
        found = found[:, None, :]
    if len(found.shape) != 3:
        raise ValueError(
            "`features` must be (batch, ensemble, dim) or (batch, dim). "
            f"Received: shape={tuple(found.shape)}"
        )
    return found


def _check_shape(expected: tuple | None, received: tuple) -> None:
    if tuple(received) != tuple(expected or ()):
        raise ValueError(
            "`features` must be (batch, ensemble, dim) with (ensemble, dim) = "
            f"{expected}, as at first. Received: {tuple(received)}"
        )
