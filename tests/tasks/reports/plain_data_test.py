"""What JSON lacks has another form, and comes back."""

import json
import math

import numpy as np
import pytest

from keras_plex.tasks.reports.plain_data import decode_drawn
from keras_plex.tasks.reports.plain_data import encode_drawn
from keras_plex.tasks.reports.plain_data import number
from keras_plex.tasks.reports.plain_data import replace_non_finite
from keras_plex.tasks.reports.plain_data import restore_infinities


def test_what_json_lacks_is_replaced_wherever_it_is():
    values = {"a": [1.0, math.inf, (math.nan, "x")], "b": -math.inf}
    found = replace_non_finite(values)
    assert found == {"a": [1.0, "Infinity", [None, "x"]], "b": "-Infinity"}
    json.dumps(found, allow_nan=False)


def test_numbers_come_back():
    assert math.isnan(number(None)) and number(1) == 1.0
    for infinity in (math.inf, -math.inf):
        assert number(replace_non_finite(infinity)) == infinity


def test_infinities_of_curves_come_back_but_no_name_becomes_one():
    curves = {
        "groups": {"names": ["Infinity"], "accuracy": [0.5]},
        "fog": {"nll": [0.5, math.inf, -math.inf]},
    }
    assert restore_infinities(replace_non_finite(curves)) == curves


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
