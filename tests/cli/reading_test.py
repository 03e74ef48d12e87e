"""Files are read as the model takes them, unless it is said otherwise."""

import argparse

import keras
import pytest

from keras_plex.cli.reading import add_reading_arguments
from keras_plex.cli.reading import reading_for


def reading(*typed, shape=(4, 6, 1)):
    parser = argparse.ArgumentParser()
    add_reading_arguments(parser)
    layers = [keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(2)]
    model = keras.Sequential([keras.Input(shape), *layers])
    return reading_for(parser.parse_args(typed), model)


def test_the_model_says_what_it_takes():
    found = reading()
    assert found.image_size == (4, 6) and found.channels == 1
    assert found.num_classes == 2 and found.image_range == (0.0, 255.0)
    assert reading(shape=(None, None, 3)).image_size is None


def test_what_is_typed_comes_first(tmp_path):
    typed = ["--image-size", "8x9", "--image-range=-1,1"]
    found = reading(*typed, "--classes", "cat, dog", "--batch-size", "2")
    assert found.image_size == (8, 9) and found.image_range == (-1.0, 1.0)
    assert found.classes == ("cat", "dog") and found.batch_size == 2
    for encoding in ("utf-8", "utf-8-sig"):
        (tmp_path / "names").write_text("cat\n dog\n\n", encoding)
        found = reading("--classes", str(tmp_path / "names"))
        assert found.classes == ("cat", "dog")


@pytest.mark.parametrize(
    "typed, message",
    [
        (["--batch-size", "0"], "positive integer. Received: 0"),
        (["--image-size", "9"], "as in 1x2. Received: '9'"),
        (["--classes", "a,b,c"], "all 2 classes of the model.*: 3"),
        (["--classes", "a,a"], r"must differ. Received: \['a'\] twice"),
    ],
)
def test_what_is_wrong_is_said(typed, message):
    with pytest.raises(ValueError, match=message):
        reading(*typed)
