"""Which examples to have labelled next."""

from collections.abc import Callable
from collections.abc import Sequence
from typing import Any

import numpy as np
from keras import ops

from keras_plex.predictions import Predictions
from keras_plex.scores import FeatureScore
from keras_plex.scores import forecast_scores
from keras_plex.scores.feature_score import features_of
from keras_plex.scores.fields import Fields
from keras_plex.scores.mahalanobis import Mahalanobis
from keras_plex.scores.mahalanobis import squared_distances
from keras_plex.scores.mahalanobis import whiten
from keras_plex.tables import lookup
from keras_plex.tasks.arguments import check_members
from keras_plex.types import Tensor

Acquisition = Callable[[Fields], Tensor]

# What stands beside the curves of acquisitions, by their names.
AXIS = "labels"


def uniform(predictions: Fields) -> np.ndarray:
    """The same for all: the order is drawn at random."""
    return np.ones(len(predictions.probabilities))


def bald(predictions: Fields) -> Tensor:
    """What the label would tell about the model, in nats: `H[mean] - mean H`.

    Needs an ensemble: the members of one agree.

    Reference:
        Houlsby et al., 2011, "Bayesian active learning for classification and
        preference learning".
    """
    check_ensemble("bald", predictions.member_probabilities.shape[1])
    return predictions.mutual_information


class GaussianDensity(Mahalanobis):
    """How unfamiliar the features are: minus the log of their density.

    The density is that of one Gaussian for each class among the labelled
    examples, all with one covariance and one weight, as in `Mahalanobis`:

        score = mean over members of -log(mean over classes c of exp(-d_c / 2))

    which is 0 at the mean of all classes, if these are one, and above it
    elsewhere.

    Reference:
        Lee et al., 2018, "A simple unified framework for detecting
        out-of-distribution samples and adversarial attacks".
    """

    name = "density"

    def compute(
        self,
        parameters: dict[str, Tensor],
        features: Tensor,
        predictions: Fields,
    ) -> Tensor:
        scores = []
        for member, x in enumerate(whiten(features, parameters, "whitening")):
            means = parameters["means"][member]
            # (batch, classes), all less the squared length of x.
            distances = squared_distances(x, means)
            nearest = ops.min(distances, axis=-1, keepdims=True)
            others = ops.mean(ops.exp((nearest - distances) / 2), axis=-1)
            least = ops.maximum(ops.sum(x * x, axis=-1) + nearest[:, 0], 0.0)
            scores.append(least / 2 - ops.log(others))
        return sum(scores) / len(scores)


# Name -> a function of `Predictions`, or the class of a score that is fitted to
# the features of the labelled examples. Gives `(examples,)`: higher = label
# next. Add one here, or from outside: it is an ordinary dict.
ACQUISITIONS: dict[str, Any] = {
    "margin": forecast_scores.margin,
    "uniform": uniform,
    "entropy": forecast_scores.entropy,
    "msp": forecast_scores.msp,
    "bald": bald,
    "density": GaussianDensity,
}


def named_acquisitions(
    acquisition: str | Acquisition | Sequence[str | Acquisition],
) -> dict[str, Any]:
    """Entries like those of `ACQUISITIONS`, by name."""
    if isinstance(acquisition, str) or callable(acquisition):
        acquisition = (acquisition,)
    found = {}
    for one in acquisition:
        name = one if isinstance(one, str) else _name_of(one)
        if name == AXIS or "/" in name:
            raise ValueError(
                "The name of an acquisition goes into names of measures and "
                f"files: it must not be {AXIS!r}, nor hold a slash. Rename the "
                f"function. Received: {name!r}"
            )
        if name in found:
            raise ValueError(
                "Each acquisition needs a name of its own, which is that of "
                f"the function. Received: {name!r} twice"
            )
        found[name] = (
            lookup(ACQUISITIONS, one, "acquisition")
            if isinstance(one, str)
            else one
        )
    if not found:
        raise ValueError('`acquisition` must name one, as in "margin".')
    return found


def check_ensemble(name: str, ensemble_size: int) -> None:
    """Raises for "bald" of a single model."""
    if name == "bald":
        check_members('Acquisition "bald"', ensemble_size, '"margin"')


def needs_features(acquisition: Any) -> bool:
    """Whether it is fitted to the features of the labelled examples."""
    if isinstance(acquisition, type):
        return issubclass(acquisition, FeatureScore)
    return isinstance(acquisition, FeatureScore)


def rate(
    acquisition: Any, pool: Predictions, rows: np.ndarray, labels: np.ndarray
) -> np.ndarray:
    """`(examples,)` for the whole pool: higher = label next.

    Args:
        acquisition: an entry of `ACQUISITIONS`, or another such function.
        pool: of all its examples; with features for those that need them.
        rows: the labelled ones.
        labels: `(rows,)`, theirs.
    """
    if needs_features(acquisition):
        acquisition = _unfitted(acquisition)
        features = features_of(pool, acquisition.name)
        acquisition.update(features[rows], labels)
        acquisition.finish()
    scores = np.asarray(ops.convert_to_numpy(acquisition(pool)), "float64")
    if scores.shape != (len(pool),) or not np.isfinite(scores).all():
        raise ValueError(
            "An acquisition must give one finite number for each of the "
            f"{len(pool)} examples. Received: shape={scores.shape}, of which "
            f"{np.isfinite(scores).sum()} are finite"
        )
    return scores


def _unfitted(acquisition: Any) -> FeatureScore:
    """One of its kind, that no round was fitted to before."""
    if isinstance(acquisition, type):
        return acquisition()
    return type(acquisition).from_config(acquisition.get_config())


def select_top(
    scores: np.ndarray, count: int, generator: np.random.Generator
) -> np.ndarray:
    """Places of the highest; which of equal ones is drawn."""
    draw = generator.random(len(scores))
    return np.lexsort((draw, -scores))[:count]


def select_power(
    scores: np.ndarray, count: int, generator: np.random.Generator
) -> np.ndarray:
    """Places drawn without replacement, with chances like the scores.

    Keeps a batch from being many times the same example: the highest of
    `log(score) + Gumbel noise`.

    Reference:
        Kirsch et al., 2023, "Stochastic batch acquisition: a simple baseline
        for deep active learning".
    """
    if scores.min() < 0:
        raise ValueError(
            '`selection="power"` takes scores of at least 0. '
            f"Received: {scores.min():g}"
        )
    tiny = np.finfo("float64").tiny
    noise = generator.gumbel(size=len(scores))
    return select_top(
        np.log(np.maximum(scores, tiny)) + noise, count, generator
    )


Selection = Callable[[np.ndarray, int, np.random.Generator], np.ndarray]
SELECTIONS: dict[str, Selection] = {
    "top": select_top,
    "power": select_power,
}


def _name_of(acquisition: Any) -> str:
    if not callable(acquisition):
        raise ValueError(
            "`acquisition` must be a name, a function of predictions, or a "
            f"list of these. Received: {acquisition!r}"
        )
    name = getattr(acquisition, "name", None)
    name = name or getattr(acquisition, "__name__", type(acquisition).__name__)
    return name.strip("<>")
