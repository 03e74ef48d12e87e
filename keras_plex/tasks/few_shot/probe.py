"""Logistic regression on the features of each member."""

import warnings
from typing import NamedTuple

import numpy as np
from scipy import special
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from keras_plex.checks import is_number
from keras_plex.predictions import Predictions
from keras_plex.tasks.few_shot.support import ranks_in_classes

# Added to each standard deviation: a constant feature has none.
STANDARD_DEVIATION_FLOOR = 1e-5
# Where nothing can be held out: one example of a class.
DEFAULT_L2 = 1.0
# From strong to weak: of equal ones, the first is taken.
L2_GRID = tuple(4.0**power for power in range(3, -4, -1))
MAX_FOLDS = 5
# Of the gradient: that of what is kept, and of what is only compared.
TOLERANCE, ROUGH_TOLERANCE = 1e-6, 1e-4


class Probe(NamedTuple):
    """A linear classifier of standardised features for each member.

    Args:
        mean: `(ensemble, dim)`, of the examples that it was fitted to.
        scale: `(ensemble, dim)`, their standard deviation.
        kernel: `(ensemble, dim, classes)`.
        bias: `(ensemble, classes)`.
    """

    mean: np.ndarray
    scale: np.ndarray
    kernel: np.ndarray
    bias: np.ndarray

    def logits(self, features: np.ndarray) -> np.ndarray:
        """`(examples, ensemble, classes)` from `(examples, ensemble, dim)`."""
        x = (features - self.mean) / self.scale
        return np.einsum("ned,edc->nec", x, self.kernel) + self.bias

    def predict(self, features: np.ndarray) -> Predictions:
        """The forecast: the mean of the members' probabilities."""
        return Predictions.from_outputs(
            self.logits(features), "softmax_logits", features=features
        )


def fit_probe(
    features: np.ndarray,
    targets: np.ndarray,
    *,
    l2: float | None = None,
    tolerance: float = TOLERANCE,
) -> Probe:
    """Fits one multinomial logistic regression per member.

    Each minimises `sum of NLL + l2 / 2 * sum of squared weights` over features
    that have mean 0 and variance 1 among the examples.

    Args:
        features: `(examples, ensemble, dim)`.
        targets: `(examples,)` int from 0, at least one example of each class.
        l2: number above 0. Defaults to what `choose_l2` finds.
        tolerance: largest entry of the gradient at the end.

    Example:

    >>> x = np.array([[[-1.0]], [[-2.0]], [[1.0]], [[2.0]]])
    >>> probe = fit_probe(x, np.array([0, 0, 1, 1]), l2=1.0)
    >>> probe.predict(np.array([[[-3.0]], [[3.0]]])).labels.tolist()
    [0, 1]

    Reference:
        Cox, 1958, "The regression analysis of binary sequences".
    """
    if l2 is None:
        l2 = choose_l2(features, targets)
    features = features.astype("float64")
    mean = features.mean(axis=0)
    scale = features.std(axis=0) + STANDARD_DEVIATION_FLOOR
    x = (features - mean) / scale
    members = [
        _fit(x[:, member], targets, l2, tolerance)
        for member in range(x.shape[1])
    ]
    kernels, biases = zip(*members, strict=True)
    return Probe(mean, scale, np.stack(kernels), np.stack(biases))


def choose_l2(features: np.ndarray, targets: np.ndarray) -> float:
    """The penalty of `L2_GRID` with the best NLL on examples held out.

    Of the examples at hand, up to five folds with as many of each class are
    held out in turn; the test data play no part. `DEFAULT_L2` where a class has
    one example. It costs `7 * folds` fits.

    Args:
        features: `(examples, ensemble, dim)`.
        targets: `(examples,)` int from 0.
    """
    folds = min(MAX_FOLDS, int(np.bincount(targets).min()))
    if folds < 2:
        return DEFAULT_L2
    fold = ranks_in_classes(targets) % folds
    losses = np.zeros(len(L2_GRID))
    for number in range(folds):
        kept = fold != number
        for place, l2 in enumerate(L2_GRID):
            probe = fit_probe(
                features[kept],
                targets[kept],
                l2=l2,
                tolerance=ROUGH_TOLERANCE,
            )
            losses[place] += _nll(probe, features[~kept], targets[~kept])
    return L2_GRID[int(losses.argmin())]


def check_l2(l2: float | None) -> None:
    """Raises unless the penalty is `None` or a number above 0."""
    if l2 is not None and not (is_number(l2) and 0 < l2 < np.inf):
        raise ValueError(
            "`l2` must be a number above 0, or None to choose it by "
            f"cross-validation. Received: l2={l2!r}"
        )


def _fit(
    x: np.ndarray, targets: np.ndarray, l2: float, tolerance: float
) -> tuple[np.ndarray, np.ndarray]:
    """Kernel `(dim, classes)` and bias `(classes,)`."""
    regression = LogisticRegression(C=1.0 / l2, max_iter=1000, tol=tolerance)
    with warnings.catch_warnings():
        # Hardly penalised, it creeps on where nothing changes any more.
        warnings.simplefilter("ignore", ConvergenceWarning)
        regression.fit(x, targets)
    kernel, bias = regression.coef_.T, regression.intercept_
    if kernel.shape[1] == 1:
        # Of two classes it has the difference alone.
        kernel = np.concatenate([np.zeros_like(kernel), kernel], axis=1)
        bias = np.concatenate([np.zeros_like(bias), bias])
    return kernel, bias


def _nll(probe: Probe, features: np.ndarray, targets: np.ndarray) -> float:
    log_p = special.log_softmax(probe.logits(features), axis=-1)
    # (examples, ensemble, classes) -> (examples, ensemble)
    of_label = log_p[np.arange(len(targets)), :, targets]
    mixture = special.logsumexp(of_label, axis=1) - np.log(of_label.shape[1])
    return -float(mixture.sum())
