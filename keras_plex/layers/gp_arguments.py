"""What the arguments of a Gaussian-process layer can be."""

from typing import Any
from typing import TypeGuard

from keras_plex.layers.laplace_covariance import check_covariance_arguments
from keras_plex.layers.laplace_covariance import is_number
from keras_plex.ops.random_features import cosine_features
from keras_plex.tables import lookup

KERNELS = {"rbf": cosine_features}
LIKELIHOODS = {"gaussian": "one covariance for all units"}
# Name -> whether a dense layer stands below the residual.
MEAN_FUNCTIONS = {"zero": False, "linear": True}
DEFAULT_MEAN_FIELD_FACTOR = 5.0


def check_gp_arguments(layer: Any) -> None:
    """Raises a `ValueError` for the first argument that cannot be."""
    lookup(KERNELS, layer.kernel, "kernel")
    lookup(LIKELIHOODS, layer.likelihood, "likelihood")
    lookup(MEAN_FUNCTIONS, layer.mean_function, "mean function")
    for name in ("units", "num_features"):
        value = getattr(layer, name)
        if not is_integer(value) or value < 1:
            raise ValueError(
                f"`{name}` must be a positive integer. "
                f"Received: {name}={value!r}"
            )
    scale = layer.length_scale
    if not is_number(scale) or not scale > 0:
        raise ValueError(
            f"`length_scale` must be positive. Received: length_scale={scale!r}"
        )
    seed = layer.seed
    if seed is not None and not (is_integer(seed) and seed >= 0):
        raise ValueError(
            "`seed` must be `None` or a non-negative integer. "
            f"Received: seed={seed!r}"
        )
    check_covariance_arguments(layer.ridge_penalty, layer.momentum)
    factor = layer.mean_field_factor
    if factor is not None and not (is_number(factor) and factor >= 0):
        raise ValueError(
            "`mean_field_factor` must be `None` or at least 0. "
            f"Received: mean_field_factor={factor!r}"
        )


def is_integer(value: Any) -> TypeGuard[int]:
    """Whether a value is an int, and no bool."""
    return isinstance(value, int) and not isinstance(value, bool)
