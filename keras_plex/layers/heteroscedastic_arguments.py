"""What the arguments of a heteroscedastic layer can be."""

import math
from typing import Any

from keras import activations

from keras_plex.checks import is_integer
from keras_plex.checks import is_number
from keras_plex.checks import is_positive_integer
from keras_plex.ops.links import LINKS
from keras_plex.tables import lookup

CLASS_LINKS = {name: LINKS[name] for name in ("softmax", "sigmoid")}


def check_noise_arguments(layer: Any) -> None:
    """Raises a `ValueError` for the first argument that cannot be."""
    lookup(CLASS_LINKS, layer.link, "link")
    if layer.link == "softmax" and layer.units == 1:
        raise ValueError(
            "The softmax of one unit is always 1. Use several units, or "
            '`link="sigmoid"`. Received: units=1'
        )
    _check_activation(layer)
    _check_factors(layer)
    check_temperature(layer.temperature)
    for name in ("num_samples", "num_training_samples"):
        value = getattr(layer, name)
        if not is_positive_integer(value):
            raise ValueError(
                f"`{name}` must be a positive integer. "
                f"Received: {name}={value!r}"
            )


def check_temperature(temperature: float | tuple[float, float]) -> None:
    """Raises unless it is positive, or a pair `(low, high)` of such numbers."""
    if isinstance(temperature, tuple):
        is_possible = (
            len(temperature) == 2
            and all(map(_is_positive, temperature))
            and temperature[0] < temperature[1]
        )
    else:
        is_possible = _is_positive(temperature)
    if not is_possible:
        raise ValueError(
            "`temperature` must be a positive number, or a pair `(low, high)` "
            "of positive numbers between which it is learned. "
            f"Received: temperature={temperature!r}"
        )


def _is_positive(value: Any) -> bool:
    return is_number(value) and 0 < value < math.inf


def _check_activation(layer: Any) -> None:
    name = getattr(layer.activation, "__name__", None)
    if layer.activation not in (None, activations.linear) and (
        name != layer.link
    ):
        raise ValueError(
            f"The outputs are logits whose {layer.link} is the forecast: "
            f"`activation` must be `None` or {layer.link!r}. "
            f"Received: activation={name or layer.activation!r}"
        )


def _check_factors(layer: Any) -> None:
    factors = layer.num_factors
    if not is_integer(factors) or not 0 <= factors <= layer.units:
        raise ValueError(
            "`num_factors` must be an integer from 0, for independent noise "
            "alone, to `units`. "
            f"Received: num_factors={factors!r}, units={layer.units}"
        )
    for name in ("parameter_efficient", "shared_noise"):
        if not isinstance(getattr(layer, name), bool):
            raise ValueError(
                f"`{name}` must be a bool. "
                f"Received: {name}={getattr(layer, name)!r}"
            )
    if layer.parameter_efficient and not factors:
        raise ValueError(
            "`parameter_efficient=True` is a way to hold factors, and there "
            "are none. Give `num_factors`, or leave it out. "
            "Received: num_factors=0"
        )
