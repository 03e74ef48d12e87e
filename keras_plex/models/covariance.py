"""A Gaussian-process head meets a data set, without training."""

import warnings

import keras
import numpy as np
from keras import ops

from keras_plex.batches import check_rereadable
from keras_plex.batches import iterate_batches
from keras_plex.calibration.mean_field import fit_mean_field_factor
from keras_plex.layers.gp_arguments import DEFAULT_MEAN_FIELD_FACTOR
from keras_plex.layers.random_feature_gp import RandomFeatureGP
from keras_plex.types import Data

# Enough for one number: its standard error is far below its effect.
MAX_EXAMPLES = 10_000


def fit_covariance(model: keras.Model, dataset: Data, batch_size: int) -> None:
    """Makes the covariance of `model`'s head that of the data set."""
    head = model.gp_head
    if head is None:
        raise ValueError(
            f"{model.name!r} has no head with a covariance. Convert it with "
            '`plexify(model, head="gp")`.'
        )
    precision = head.covariance.precision
    before = ops.convert_to_numpy(precision)
    head.reset_covariance()
    try:
        for x, _, _ in iterate_batches(dataset, batch_size):
            found = model.predict_details(x, features=True, on_batch=True)
            rows = head.random_features(found["features"])
            head.covariance.update(rows)
    except BaseException:
        precision.assign(before)
        raise
    head.update_covariance()


def try_fit_mean_field(
    model: keras.Model, validation: Data, steps: int | None
) -> None:
    """`fit_mean_field`, or a warning that says why not."""
    try:
        check_rereadable(validation, "validation_data")
        fit_mean_field(model, validation, steps)
    except ValueError as error:
        warnings.warn(
            "Could not fit the mean-field factor of the GP head to the "
            f"validation data; it stays as it is. {error}",
            stacklevel=4,
        )


def fit_mean_field(
    model: keras.Model, validation: Data, steps: int | None = None
) -> None:
    """Fits the mean-field factor of `model`'s head to labelled data."""
    batches = iterate_batches(validation, steps=steps)
    logits, variance, labels = _collect(model, batches)
    kind = _logits_kind(model)
    factor = fit_mean_field_factor(
        logits,
        variance,
        labels,
        kind,
        typical_factor=DEFAULT_MEAN_FIELD_FACTOR,
    )
    model.gp_head.mean_field.assign(factor)


def has_free_mean_field(model: keras.Model) -> bool:
    """Whether there is a mean-field factor to fit."""
    head = model.gp_head
    is_free = head is not None and head.mean_field_factor is None
    return is_free and "regression" not in model.output_kinds


def set_mean_field_for(
    output_kinds: tuple[str, ...], head: RandomFeatureGP | None
) -> None:
    """No mean field for a regression, the default one after it."""
    if head is None or head.mean_field_factor is not None:
        return
    is_off = float(ops.convert_to_numpy(head.mean_field)) == 0.0
    if "regression" in output_kinds:
        head.mean_field.assign(0.0)
    elif is_off:
        head.mean_field.assign(DEFAULT_MEAN_FIELD_FACTOR)


def _collect(model, batches) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    head = model.gp_head
    found, count = [], 0
    for x, y, _ in batches:
        if y is None:
            raise ValueError("It has no labels.")
        details = model.predict_details(x, features=True, on_batch=True)
        rows = details["features"]
        logits = ops.convert_to_numpy(head.mean_logits(rows))
        found.append((logits, details["variance"], y))
        count += len(y)
        if count >= MAX_EXAMPLES:
            break
    logits, variance, labels = zip(*found, strict=True)
    return (
        np.concatenate(logits),
        np.concatenate(variance),
        np.concatenate(labels),
    )


def _logits_kind(model) -> str:
    if model.output_kind != "probabilities":
        return model.output_kind
    return f"{model.conversion.head.activation}_logits"
