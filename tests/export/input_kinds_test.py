"""What a request may hold is a table."""

import pytest

from keras_plex.export.input_kinds import INPUT_KINDS
from keras_plex.export.input_kinds import make_inputs
from tests import cases


def test_the_kinds_are_those_of_the_docs():
    assert list(INPUT_KINDS) == ["array", "encoded_image", "text"]


def test_a_range_is_that_of_encoded_images():
    vit = cases.make("vit")
    found = make_inputs(vit, "encoded_image", (0, 255))
    assert found.specs["inputs"].dtype == "string"
    assert make_inputs(vit, "array").specs["inputs"].dtype == "float32"
    with pytest.raises(ValueError, match="black and white .*='array', value"):
        make_inputs(vit, "array", (0, 255))
    with pytest.raises(ValueError, match="Unknown input kind: 'image'"):
        make_inputs(vit, "image")
