"""What models say about their inputs."""

import keras
import keras_hub
import pytest

from keras_plex.data.named.model_inputs import check_takes_texts
from keras_plex.data.named.model_inputs import image_inputs
from keras_plex.models import DeepEnsemble
from tests import cases


def plain_model(*shape, first=()):
    return keras.Sequential(
        [
            keras.Input(shape),
            *first,
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(3),
        ],
        name="plain",
    )


def test_size_and_channels_are_those_of_the_input():
    found = image_inputs(plain_model(20, 30, 1))
    assert (found.size, found.channels) == ((20, 30), 1)
    assert found.value_range == (0.0, 1.0)
    assert dict(found.resizing) == {
        "crop_to_aspect_ratio": True,
        "interpolation": "bilinear",
        "antialias": False,
    }


def test_range_can_be_chosen():
    model = plain_model(None, None, 3)
    found = image_inputs(model, (-1, 1))
    assert (found.size, found.value_range) == (None, (-1.0, 1.0))


def test_range_must_rise():
    for pair in ((1, 0), (1, 1), (float("nan"), 1)):
        with pytest.raises(ValueError, match="black and white.*value_range="):
            image_inputs(plain_model(8, 8, 3), pair)


def test_model_that_scales_must_be_told_from_what():
    model = plain_model(8, 8, 3, first=[keras.layers.Rescaling(1 / 255)])
    with pytest.raises(ValueError, match="'plain' scales its images itself"):
        image_inputs(model)
    assert image_inputs(model, (0, 255)).value_range == (0.0, 255.0)
    ensemble = DeepEnsemble.from_model(model, 2, seed=0)
    with pytest.raises(ValueError, match="scales its images itself"):
        image_inputs(ensemble)


class SavedModel(keras.Model):
    """What an `ExportedClassifier` shows of itself."""

    takes_texts = False
    input_shape = (None, 8, 8, 3)


def test_model_that_shows_no_layers_must_be_told_the_range():
    model = SavedModel(name="served")
    with pytest.raises(ValueError, match="'served' .*value_range=.0, 1."):
        image_inputs(model)
    found = image_inputs(model, (0, 1))
    assert (found.size, found.channels) == ((8, 8), 3)


def test_vectors_are_no_images():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    with pytest.raises(ValueError, match=r"input_shape=\(None, 4\)"):
        image_inputs(model)


def test_model_that_does_not_say_its_shape_is_told_how():
    class Subclassed(keras.Model):
        def call(self, inputs):
            return inputs

    with pytest.raises(ValueError, match="input_shape=None. .*say it"):
        image_inputs(Subclassed())


def test_channels_must_come_last():
    with pytest.raises(ValueError, match=r"input_shape=\(None, 3, 8, 8\)"):
        image_inputs(plain_model(3, 8, 8))


def hub_model(**options):
    converter = keras_hub.layers.ViTImageConverter(**options)
    preprocessor = keras_hub.models.ViTImageClassifierPreprocessor(converter)
    return cases.vit(2, preprocessor=preprocessor)


def test_preprocessor_takes_raw_images_of_its_size():
    model = hub_model(
        image_size=(24, 16),
        scale=1 / 255,
        interpolation="nearest",
        crop_to_aspect_ratio=False,
    )
    found = image_inputs(model)
    assert (found.size, found.value_range) == ((24, 16), (0.0, 255.0))
    assert dict(found.resizing) == {
        "crop_to_aspect_ratio": False,
        "interpolation": "nearest",
        "antialias": False,
    }
    with pytest.raises(ValueError, match="takes images from 0 to 255"):
        image_inputs(model, (0, 1))


def test_texts_need_a_preprocessor():
    with pytest.raises(ValueError, match="'plain' has none"):
        check_takes_texts(plain_model(8, 8, 3))
    check_takes_texts(hub_model(image_size=(8, 8)))


def test_saved_model_says_whether_it_takes_texts():
    model = SavedModel(name="served")
    with pytest.raises(ValueError, match="'served' has none"):
        check_takes_texts(model)
    model.takes_texts = True
    check_takes_texts(model)
