"""An output layer with a covariance meets a data set, without training."""

import warnings
from collections.abc import Iterable
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
from keras import ops
from keras import tree

from keras_plex.batches import Batch
from keras_plex.batches import as_input
from keras_plex.batches import check_rereadable
from keras_plex.batches import iterate_batches
from keras_plex.calibration.mean_field import fit_mean_field
from keras_plex.calibration.prior_precision import fit_laplace
from keras_plex.layers.covariance_head import CovarianceHead
from keras_plex.layers.laplace_dense import LaplaceDense
from keras_plex.layers.vocabulary_gp import VocabularyGP
from keras_plex.ops.probabilities import NUMBERS
from keras_plex.types import Data

# Enough for one number: its standard error is far below its effect.
MAX_EXAMPLES = 10_000
# A step of the covariance takes as long for one row as for as many.
ROWS_AT_ONCE = 256


def fit_covariance(
    model: keras.Model,
    dataset: Data,
    batch_size: int,
    *,
    verbose: bool = False,
) -> None:
    """Makes the covariance of `model`'s head that of the data set."""
    head = model.covariance_head
    if head is None:
        raise ValueError(
            f"{model.name!r} has no head with a covariance. Convert it with "
            '`plexify(model, head="gp")` or `head="laplace"`.'
        )
    if isinstance(head, VocabularyGP):
        raise ValueError(
            f"The covariance of {model.name!r} is that of the tokens which its "
            "last epoch of `fit` saw, without padding. Train it for an epoch, "
            "if need be with a learning rate of 0."
        )
    if isinstance(head, LaplaceDense) and gives_numbers(model):
        raise ValueError(
            f'The outputs of {model.name!r} are a regression; `head="laplace"` '
            'is for classifiers. Use `head="gp"`, or say what the outputs are: '
            '`model.output_kind = "sigmoid_logits"`.'
        )
    precision = head.covariance.precision
    before = ops.convert_to_numpy(precision)
    head.reset_covariance()
    try:
        batches = iterate_batches(dataset, batch_size)
        details = (
            _details(model, x)
            for x, _, _ in (_shown(batches) if verbose else batches)
        )
        # A moving average counts steps: it gets each batch by itself.
        rows_at_once = ROWS_AT_ONCE if is_sum_over_data(model) else 1
        for features, mask in _gathered(details, rows_at_once):
            head.observe(features, mask=mask)
    except BaseException:
        precision.assign(before)
        raise
    head.update_covariance()


def _gathered(
    details: Iterable[dict[str, np.ndarray]], rows_at_once: int
) -> Iterator[tuple[np.ndarray, np.ndarray | None]]:
    """Features and masks of several batches at once, for fewer small steps."""
    parts, kind = [], None
    for found in details:
        features, mask = found["features"], found.get("mask")
        if parts and (features.shape[1:], mask is None) != kind:
            yield _joined(parts)
            parts = []
        parts.append((features, mask))
        kind = features.shape[1:], mask is None
        if sum(rows[..., 0].size for rows, _ in parts) >= rows_at_once:
            yield _joined(parts)
            parts = []
    if parts:
        yield _joined(parts)


def _joined(parts: list) -> tuple[np.ndarray, np.ndarray | None]:
    features, masks = zip(*parts, strict=True)
    mask = None if masks[0] is None else np.concatenate(masks)
    return np.concatenate(features), mask


def _shown(batches: Iterator[Batch]) -> Iterator[Batch]:
    """The batches, counted on the screen as `fit` counts its own."""
    if keras.config.is_interactive_logging_enabled():
        print("Covariance")
    bar = keras.utils.Progbar(None)
    done = 0
    for done, batch in enumerate(batches, start=1):
        yield batch
        bar.update(done)
    bar.update(done, finalize=True)


def is_sum_over_data(model: keras.Model) -> bool:
    """Whether the covariance is that of a data set, not a moving average."""
    return model.covariance_head.covariance.momentum is None


def try_fit_covariance(
    model: keras.Model, dataset: Data, batch_size: int, *, verbose: bool
) -> None:
    """`fit_covariance`, or a warning that says why not."""
    try:
        fit_covariance(model, dataset, batch_size, verbose=verbose)
    except Exception as error:  # whatever it is, the training is not lost
        warnings.warn(
            "Could not go through the training data once more without dropout: "
            f"the covariance stays that of the last epoch. {error}",
            stacklevel=4,
        )


def try_fit_to_validation(
    model: keras.Model, validation: Data, steps: int | None
) -> None:
    """`fit_to_validation`, or a warning that says why not."""
    try:
        check_rereadable(validation, "validation_data")
        fit_to_validation(model, validation, steps)
    except Exception as error:
        warnings.warn(
            "Could not fit to the validation data how strongly the variance "
            f"flattens forecasts; that stays as it is. {error}",
            stacklevel=4,
        )


def fit_to_validation(
    model: keras.Model, validation: Data, steps: int | None = None
) -> None:
    """Fits how strongly the variance flattens forecasts to labelled data."""
    head = model.covariance_head
    logits, features, variance, labels, weights = _collect(
        model, validation, steps
    )
    kind = _logits_kind(model)
    if isinstance(head, LaplaceDense):
        fit = fit_laplace(
            (logits, features, labels),
            ops.convert_to_numpy(head.covariance.precision),
            typical=head.typical_prior_and_factor(),
            is_free=head.is_prior_and_factor_free,
            output_kind=kind,
            sample_weight=weights,
        )
        head.assume_prior(fit.prior)
        head.mean_field.assign(fit.factor)
        head.logit_scale.assign(fit.scale)
        return
    found = fit_mean_field(logits, variance, labels, kind, weights)
    head.mean_field.assign(found.factor)
    head.logit_scale.assign(found.scale)


def is_fitted_to_validation(model: keras.Model) -> bool:
    """Whether the head has a number that validation data decides."""
    head = model.covariance_head
    if head is None or gives_numbers(model) or isinstance(head, VocabularyGP):
        return False
    if isinstance(head, LaplaceDense):
        return any(head.is_prior_and_factor_free)
    return head.mean_field_factor is None


def gives_numbers(model: keras.Model) -> bool:
    """Whether an output is no class, but a number."""
    return any(kind in NUMBERS for kind in model.output_kinds)


def set_mean_field_for(
    output_kinds: tuple[str, ...], head: CovarianceHead | None
) -> None:
    """No mean field for a regression, the default one after it."""
    if head is None or head.mean_field_factor is not None:
        return
    is_off = float(ops.convert_to_numpy(head.mean_field)) == 0.0
    if "regression" in output_kinds and head.likelihood == "gaussian":
        head.mean_field.assign(0.0)
        head.logit_scale.assign(1.0)
    elif is_off:
        head.mean_field.assign(head.typical_factor)


def _details(model: keras.Model, x: Any) -> dict[str, np.ndarray]:
    x = tree.map_structure(as_input, x)
    return model.predict_details(x, features=True, on_batch=True)


def _collect(model, validation, steps) -> tuple[np.ndarray, ...]:
    """Logits, features, variance, labels and weights of what counts."""
    head = model.covariance_head
    found, count = [], 0
    for x, y, sample_weight in iterate_batches(validation, steps=steps):
        if y is None:
            raise ValueError("It has no labels.")
        weights = _weights_of(y, sample_weight, model.loss)
        details = _details(model, x)
        rows = details["features"]
        logits = ops.convert_to_numpy(head.mean_logits(rows))
        features = ops.convert_to_numpy(head.covariance_features(rows))
        columns = (logits, features, details["variance"], y, weights)
        found.append([column[weights > 0] for column in columns])
        count += len(found[-1][-1])
        if count >= MAX_EXAMPLES:
            break
    if not count:
        raise ValueError("It is empty.")
    return tuple(np.concatenate(parts) for parts in zip(*found, strict=True))


def _weights_of(labels, sample_weight, loss) -> np.ndarray:
    """Of each example; 0 where the loss ignores the label."""
    weights = np.ones(len(labels))
    if sample_weight is not None:
        weights = np.array(sample_weight, "float64").reshape(len(labels), -1)
        weights = weights.mean(axis=1)
    ignored = getattr(loss, "ignore_class", None)
    if ignored is not None and labels.size == len(labels):
        weights[labels.reshape(-1) == ignored] = 0.0
    return weights


def _logits_kind(model) -> str:
    if model.output_kind != "probabilities":
        return model.output_kind
    return f"{model.conversion.head.activation}_logits"
