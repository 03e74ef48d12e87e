"""From results to what JSON holds, and back."""

import base64
import binascii
import math
from typing import Any

import numpy as np


def finite(value: Any) -> Any:
    """The same structure; JSON has no NaN and no infinity, but `None`.

    Example:

    >>> finite({"ece": [0.1, math.nan]})
    {'ece': [0.1, None]}
    """
    if isinstance(value, dict):
        return {key: finite(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(one) for one in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def number(value: float | None) -> float:
    """What `finite` made of a number, as a number."""
    return math.nan if value is None else float(value)


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
