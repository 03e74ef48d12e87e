"""What the arguments of a Gaussian-process layer can be."""

from typing import Any

from keras_plex.checks import check_seed
from keras_plex.checks import is_integer
from keras_plex.checks import is_number
from keras_plex.checks import is_positive_integer
from keras_plex.layers.covariance_arguments import check_covariance_arguments
from keras_plex.layers.likelihoods import LIKELIHOODS
from keras_plex.tables import lookup

DEFAULT_NUM_FEATURES = 1024
# Name -> whether its features are random; "linear" takes the input itself.
KERNELS = {"rbf": True, "linear": False}
# Name -> whether a dense layer stands below the residual.
MEAN_FUNCTIONS = {"zero": False, "linear": True}


def check_gp_arguments(layer: Any) -> None:
    """Raises a `ValueError` for the first argument that cannot be."""
    lookup(LIKELIHOODS, layer.likelihood, "likelihood")
    lookup(MEAN_FUNCTIONS, layer.mean_function, "mean function")
    if not is_positive_integer(layer.units):
        raise ValueError(
            "`units` must be a positive integer. "
            f"Received: units={layer.units!r}"
        )
    check_feature_arguments(layer)
    _check_likelihood(layer)
    check_covariance_arguments(layer.ridge_penalty, layer.momentum)
    check_mean_field_factor(layer.mean_field_factor)


def check_feature_arguments(layer: Any) -> None:
    """Raises for the first argument of the features that cannot be."""
    lookup(KERNELS, layer.kernel, "kernel")
    if not is_positive_integer(layer.num_features):
        raise ValueError(
            "`num_features` must be a positive integer. "
            f"Received: num_features={layer.num_features!r}"
        )
    scale = layer.length_scale
    if not is_number(scale) or not scale > 0:
        raise ValueError(
            f"`length_scale` must be positive. Received: length_scale={scale!r}"
        )
    is_default = layer.num_features == DEFAULT_NUM_FEATURES
    if not KERNELS[layer.kernel] and not (is_default and layer.orthogonal):
        raise ValueError(
            '`kernel="linear"` takes the input itself as features: leave '
            "`num_features` and `orthogonal` out. "
            f"Received: num_features={layer.num_features}, "
            f"orthogonal={layer.orthogonal}"
        )
    context = layer.context_dim
    if not is_integer(context) or context < 0:
        raise ValueError(
            "`context_dim` must be a non-negative integer. "
            f"Received: context_dim={context!r}"
        )
    check_seed(layer.seed)


def check_context_fits(context_dim: int, input_shape: tuple) -> None:
    """Raises unless something of an input is left beside its context."""
    if context_dim and context_dim >= input_shape[-1]:
        raise ValueError(
            "`context_dim` must be smaller than the last axis of the inputs, "
            "which holds the features and the context after them. Received: "
            f"context_dim={context_dim}, inputs of shape {tuple(input_shape)}"
        )


def check_mean_field_factor(factor: float | None) -> None:
    """Raises unless a factor is `None` or a number of at least 0."""
    if factor is not None and not (is_number(factor) and factor >= 0):
        raise ValueError(
            "`mean_field_factor` must be `None` or at least 0. "
            f"Received: mean_field_factor={factor!r}"
        )


def _check_likelihood(layer: Any) -> None:
    likelihood = LIKELIHOODS[layer.likelihood]
    if likelihood.is_univariate and layer.units != 1:
        raise ValueError(
            f"`likelihood={layer.likelihood!r}` is that of one unit. For "
            'classes that exclude each other use `likelihood="softmax"`; for '
            'several labels or rates one layer each, or `likelihood="gaussian"`'
            f". Received: units={layer.units}"
        )
    if likelihood.is_classwise and layer.units == 1:
        raise ValueError(
            f"`likelihood={layer.likelihood!r}` needs several units. For one "
            'unit use `likelihood="binary_logistic"`. Received: units=1'
        )
    samples = layer.num_samples
    if not is_integer(samples) or samples < 0:
        raise ValueError(
            "`num_samples` must be a non-negative integer; 0 is the mean-field "
            f"approximation. Received: num_samples={samples!r}"
        )
