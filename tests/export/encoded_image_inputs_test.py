"""A server that is sent files answers as the model does for their images."""

import io
import json

import keras
import keras_hub
import numpy as np
import pytest

import keras_plex
from keras_plex.data.named.image_batches import to_model_images
from keras_plex.data.named.model_inputs import image_inputs
from keras_plex.export import answer_request
from keras_plex.export import export_for_serving
from keras_plex.export.encoded_image_inputs import encoded_image_inputs
from keras_plex.export.exported_classifier import ExportedClassifier

Image = pytest.importorskip("PIL.Image")

SIZES = ((16, 16), (20, 31), (9, 40), (33, 18))


def draw_images(channels=3):
    generator = np.random.default_rng(0)
    return [
        generator.integers(0, 256, (*size, channels), "uint8") for size in SIZES
    ]


def encode(image, kind="PNG"):
    file = io.BytesIO()
    Image.fromarray(image.squeeze()).save(file, kind)
    return file.getvalue()


def hub_model(**options):
    converter = keras_hub.layers.ViTImageConverter((16, 16), **options)
    backbone = keras_hub.models.ViTBackbone(
        image_shape=(16, 16, 3),
        patch_size=4,
        num_layers=2,
        num_heads=2,
        hidden_dim=8,
        mlp_dim=16,
    )
    stock = keras_hub.models.ViTImageClassifier(
        backbone,
        num_classes=3,
        preprocessor=keras_hub.models.ViTImageClassifierPreprocessor(converter),
    )
    return keras_plex.plexify(stock, seed=0)


def plain_model(*shape, first=()):
    stock = keras.Sequential(
        [
            keras.Input(shape),
            *first,
            keras.layers.AveragePooling2D(4),
            keras.layers.Flatten(),
            keras.layers.Dense(8, "relu"),
            keras.layers.Dense(3),
        ],
        name="plain",
    )
    return keras_plex.plexify(stock, last_blocks=1, seed=0)


def answered(model, folder, files, **options):
    options = {"input_kind": "encoded_image", **options}
    return answer_request(export_for_serving(model, folder, **options), files)


@pytest.mark.parametrize(
    "options",
    [
        {"scale": 1 / 255},
        {"scale": 1 / 255, "interpolation": "bicubic", "antialias": True},
        {
            "scale": [1 / 50, 1 / 60, 1 / 70],
            "offset": [-0.5, -0.4, -0.3],
            "crop_to_aspect_ratio": False,
            "pad_to_aspect_ratio": True,
        },
    ],
    ids=["crop", "bicubic", "pad"],
)
def test_the_preprocessor_of_a_task_is_a_part_of_it(options, tmp_path):
    model, images = hub_model(**options), draw_images()
    # A batch is of one size; that of a request need not be.
    parts = [model.predict_uncertainty(one[None]) for one in images]
    found = answered(model, tmp_path, [encode(one) for one in images])
    for name in ("probabilities", "entropy", "variance"):
        expected = np.concatenate([getattr(one, name) for one in parts])
        np.testing.assert_allclose(found[name], expected, atol=1e-5)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("value_range", [None, (-1.0, 1.0)])
def test_a_model_without_one_gets_its_size_channels_and_range(
    channels, value_range, tmp_path
):
    model, images = plain_model(12, 8, channels), draw_images()
    wanted = image_inputs(model, value_range)
    resize = keras.layers.Resizing(12, 8, **dict(wanted.resizing))
    # Integers would be rounded here, and are not in a graph.
    resized = [resize(one.astype("float32")) for one in images]
    resized = np.stack([keras.ops.convert_to_numpy(one) for one in resized])
    x = to_model_images(resized, wanted)
    found = answered(
        model,
        tmp_path,
        [encode(one) for one in images],
        value_range=value_range,
    )
    expected = model.predict_uncertainty(x).probabilities
    np.testing.assert_allclose(found["probabilities"], expected, atol=1e-5)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP"])
def test_grey_images_of_any_format_are_decoded(kind, tmp_path):
    model = plain_model(16, 16, 3)
    grey = np.full((16, 16), 51, "uint8")
    found = answered(model, tmp_path, [encode(grey, kind)])
    x = np.full((1, 16, 16, 3), 0.2, "float32")
    expected = model.predict_uncertainty(x).probabilities
    np.testing.assert_allclose(found["probabilities"], expected, atol=1e-4)


def test_a_model_of_one_input_in_a_list_takes_files():
    x = keras.Input((8, 8, 3))
    model = keras.Model([x], keras.layers.Dense(3)(keras.layers.Flatten()(x)))
    files = [encode(one) for one in draw_images()]
    import tensorflow as tf

    (images,) = encoded_image_inputs(model).to_model(
        {"inputs": tf.constant(files)}
    )
    assert images.shape == (4, 8, 8, 3)


def test_the_card_says_what_is_a_part(tmp_path):
    def card_of(**options):
        folder = export_for_serving(hub_model(), tmp_path, **options)
        path = folder / "assets.extra" / "model_card.json"
        return json.loads(path.read_text())

    files, arrays = card_of(input_kind="encoded_image"), card_of()
    assert files["input_kind"] == "encoded_image"
    assert files["preprocessor"] == "ViTImageClassifierPreprocessor"
    assert files["inputs"] == {"inputs": {"shape": [None], "dtype": "string"}}
    assert "preprocessor_not_included" not in files
    assert arrays["input_kind"] == "array" and "preprocessor" not in arrays
    assert arrays["preprocessor_not_included"] == files["preprocessor"]


def test_files_are_no_texts(tmp_path):
    export_for_serving(hub_model(), tmp_path, input_kind="encoded_image")
    served = ExportedClassifier(tmp_path)
    assert not served.takes_texts
    files = np.array([encode(one) for one in draw_images()], object)
    assert served.predict_uncertainty(files).probabilities.shape == (4, 3)


def of_any_size():
    return keras.Sequential(
        [
            keras.Input((None, None, 3)),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(3),
        ]
    )


def scaling():
    return plain_model(8, 8, 3, first=[keras.layers.Rescaling(2.0)])


@pytest.mark.parametrize(
    "make, message",
    [
        (of_any_size, "any size, .* must get one"),
        (scaling, r"scales its images itself.*`value_range=\(0, 255\)`"),
        (lambda: plain_model(8, 8, 4), "1 or 3 channels"),
    ],
)
def test_what_nobody_can_know_is_an_error(make, message):
    with pytest.raises(ValueError, match=message):
        encoded_image_inputs(make())
