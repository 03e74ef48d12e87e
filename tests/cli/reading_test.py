"""Files are read as the model takes them, unless it is said otherwise."""

import argparse

import keras
import pytest

from keras_plex.cli.reading import add_reading_arguments
from keras_plex.cli.reading import check_same_images
from keras_plex.cli.reading import reading_for


def parsed(*typed):
    parser = argparse.ArgumentParser()
    add_reading_arguments(parser)
    return parser.parse_args(typed)


def model_of(*shape):
    layers = [keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(2)]
    return keras.Sequential([keras.Input(shape), *layers])


def reading(*typed, shape=(4, 6, 1)):
    return reading_for(parsed(*typed), model_of(*shape))


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
        (["--image-range", "255,0"], "--image-range must be .*: '255,0'"),
        (["--image-range", "1,1"], "first below the second"),
        (["--image-range", "nan,1"], "first below the second"),
        (["--image-range", "0,inf"], "two finite numbers"),
        (["--classes", "a,b,c"], "all 2 classes of the model.*: 3"),
        (["--classes", "a,a"], r"must differ. Received: \['a'\] twice"),
    ],
)
def test_what_is_wrong_is_said(typed, message):
    with pytest.raises(ValueError, match=message):
        reading(*typed)


@pytest.mark.parametrize("shape", [(4, 6, 3), (6, 4, 1), (None, None, 1)])
def test_models_must_take_the_same_images(shape):
    models = {"one": model_of(4, 6, 1), "other": model_of(*shape)}
    with pytest.raises(ValueError, match="'one' takes size=.4, 6., chan.*'oth"):
        check_same_images(parsed(), models)
    check_same_images(parsed(), {"one": models["one"], "again": models["one"]})


def test_a_size_that_is_typed_is_the_same_for_all():
    models = {"one": model_of(4, 6, 1), "any": model_of(None, None, 1)}
    check_same_images(parsed("--image-size", "4x6"), models)
