"""What JSON lacks has another form, and comes back."""

import json
import math

import numpy as np
import pytest

from keras_plex.tasks.reports.plain_data import decode_drawn
from keras_plex.tasks.reports.plain_data import encode_drawn
from keras_plex.tasks.reports.plain_data import finite
from keras_plex.tasks.reports.plain_data import number


def test_numbers_that_json_lacks_are_none_wherever_they_are():
    found = finite({"a": [1.0, math.inf, (math.nan, "x")], "b": -math.inf})
    assert found == {"a": [1.0, None, [None, "x"]], "b": None}
    json.dumps(found, allow_nan=False)
    assert math.isnan(number(None)) and number(1) == 1.0


@pytest.mark.parametrize("size", [0, 1, 200])
def test_drawn_values_come_back_bit_by_bit(size):
    drawn = np.random.default_rng(0).normal(size=size).astype("float32")
    drawn[: size // 2] = np.nan
    found = decode_drawn(encode_drawn(drawn))
    np.testing.assert_array_equal(found, drawn)
    assert found.dtype == np.float32


@pytest.mark.parametrize("text", ["a", "AAA=", "!!"])
def test_other_text_is_refused(text):
    with pytest.raises(ValueError, match="base64 of float32"):
        decode_drawn(text)
