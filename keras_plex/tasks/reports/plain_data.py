"""From results to what JSON holds, and back."""

import base64
import binascii
import math
from typing import Any

import numpy as np

# What `float` reads, too.
INFINITIES = {"Infinity": math.inf, "-Infinity": -math.inf}


def replace_non_finite(value: Any) -> Any:
    """The same structure with what JSON lacks: `None` for NaN, and infinities.

    Example:

    >>> replace_non_finite({"ece": [0.1, math.nan], "nll": math.inf})
    {'ece': [0.1, None], 'nll': 'Infinity'}
    """
    if isinstance(value, dict):
        return {key: replace_non_finite(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [replace_non_finite(one) for one in value]
    if not isinstance(value, float) or math.isfinite(value):
        return value
    if math.isnan(value):
        return None
    return "Infinity" if value > 0 else "-Infinity"


def number(value: float | str | None) -> float:
    """What `replace_non_finite` made of a number, as a number."""
    return math.nan if value is None else float(value)


def restore_infinities(value: Any) -> Any:
    """What `replace_non_finite` made of curves, with numbers for infinities.

    `names` are texts: a group may be called "Infinity".

    Example:

    >>> restore_infinities({"names": ["Infinity"], "nll": [0.5, "Infinity"]})
    {'names': ['Infinity'], 'nll': [0.5, inf]}
    """
    if isinstance(value, dict):
        return {
            key: one if key == "names" else restore_infinities(one)
            for key, one in value.items()
        }
    if isinstance(value, list):
        return [restore_infinities(one) for one in value]
    return INFINITIES.get(value, value) if isinstance(value, str) else value


def encode_drawn(drawn: np.ndarray) -> str:
    """Drawn values as base64 of little-endian float32, five bytes each.

    Example:

    >>> encode_drawn(np.array([1.0, np.nan]))
    'AACAPwAAwH8='
    """
    return base64.b64encode(np.asarray(drawn, "<f4").tobytes()).decode()


def decode_drawn(text: str) -> np.ndarray:
    """What `encode_drawn` encoded, `(resamples,)`, float32."""
    try:
        return np.frombuffer(
            base64.b64decode(text, validate=True), "<f4"
        ).astype("float32")
    except (binascii.Error, ValueError) as error:
        raise ValueError(
            f"Drawn values must be base64 of float32. Received: {text[:20]!r}"
        ) from error
