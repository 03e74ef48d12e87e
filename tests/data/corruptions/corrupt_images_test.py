"""What holds for all fifteen corruptions of images."""

import numpy as np
import pytest
from scipy import ndimage
from sklearn import datasets

from keras_plex.data import IMAGE_CORRUPTIONS
from keras_plex.data import corrupt_images
from keras_plex.data.corruptions.corrupt_images import CHUNK

each_corruption = pytest.mark.parametrize("name", IMAGE_CORRUPTIONS)

# Those whose published constants grow with each severity in both data sets.
RISING = (
    "gaussian_noise",
    "shot_noise",
    "impulse_noise",
    "defocus_blur",
    "zoom_blur",
    "brightness",
    "contrast",
    "pixelate",
    "jpeg_compression",
)


def photographs(side):
    """Three cuts of each of two photographs, averaged down to `side`."""
    images = []
    for file in ("china.jpg", "flower.jpg"):
        photograph = datasets.load_sample_image(file)  # 427x640
        step = 420 // side
        for left in (0, 100, 200):
            cut = photograph[: step * side, left : left + step * side]
            cells = cut.reshape(side, step, side, step, 3)
            images.append(cells.mean(axis=(1, 3)))
    return np.stack(images).astype("uint8")


@pytest.fixture(scope="module")
def small():
    return photographs(32)


@pytest.fixture(scope="module")
def large():
    return photographs(210)


def distance(images, name, severity):
    """Mean distance of a value from the clean one, of 255."""
    found = corrupt_images(images, name, severity).astype(float)
    return np.abs(found - images).mean()


def dissimilarity(images, name, severity):
    """One less the mean correlation with the clean images."""
    rows = images.reshape(len(images), -1)
    found = corrupt_images(images, name, severity).reshape(rows.shape)
    pairs = zip(rows, found, strict=True)
    return 1 - np.mean([np.corrcoef(*pair)[0, 1] for pair in pairs])


def test_all_fifteen_are_there_and_have_their_names():
    assert len(IMAGE_CORRUPTIONS) == 15
    for name, function in IMAGE_CORRUPTIONS.items():
        assert function.__name__ == name


@pytest.mark.parametrize("name", RISING)
def test_distance_rises_with_each_severity(name, small, large):
    for images in (small, large):
        found = [distance(images, name, severity) for severity in range(1, 6)]
        assert found[0] > 0.5
        assert np.all(np.diff(found) > 0), found


# Fog and frost may be of the image's own brightness.
@pytest.mark.parametrize("name", ["fog", "frost", "snow", "motion_blur"])
def test_likeness_falls_from_the_first_severity_to_the_last(name, small, large):
    for images in (small, large):
        found = [dissimilarity(images, name, level) for level in (1, 3, 5)]
        assert 0 < found[0] < found[1] < found[2], found


@pytest.mark.parametrize("name", ["glass_blur", "elastic_transform"])
def test_published_severities_that_need_not_rise_are_felt(name, small, large):
    for images in (small, large):
        for severity in range(1, 6):
            assert distance(images, name, severity) > 2


@pytest.mark.parametrize("name", RISING)
def test_distance_rises_on_cifar(name, shared_data):
    file = shared_data / "images" / "cifar10_lossless1000.npz"
    images = np.load(file)["x_train"][:64]
    found = [distance(images, name, severity) for severity in range(1, 6)]
    assert np.all(np.diff(found) > 0), found


@each_corruption
@pytest.mark.parametrize(
    "shape", [(28, 28, 1), (32, 32, 3), (28, 51, 3), (40, 33, 1)]
)
def test_shape_dtype_and_range_stay(name, shape):
    values = np.random.default_rng(0).random((3, *shape))
    for images in (
        np.rint(values * 255).astype("uint8"),
        values.astype("float16"),
        values.astype("float32"),
        values,
    ):
        for severity in (1, 5):
            found = corrupt_images(images, name, severity)
            assert found.shape == images.shape
            assert found.dtype == images.dtype
            assert found.min() >= 0
            assert found.max() <= (255 if images.dtype == np.uint8 else 1)
            assert np.any(found != images)


@each_corruption
def test_224_pixels_and_other_ranges(name):
    images = np.random.default_rng(0).random((1, 224, 224, 3))
    images = images.astype("float32")
    found = corrupt_images(images, name, 4)
    stretched = corrupt_images(images * 2 - 1, name, 4, value_range=(-1.0, 1.0))
    assert stretched.min() >= -1 and stretched.max() <= 1
    # A photon more or less, or a level of JPEG, where rounding decides.
    far = np.abs(stretched - (found * 2 - 1)) > 1e-3
    assert far.mean() < 0.01


@each_corruption
def test_an_image_is_corrupted_alike_in_any_batch(name, small):
    whole = corrupt_images(small, name, 3, seed=5)
    np.testing.assert_array_equal(corrupt_images(small, name, 3, seed=5), whole)
    for start, stop in ((0, 1), (1, 4), (4, 6)):
        part = corrupt_images(small[start:stop], name, 3, seed=5, offset=start)
        np.testing.assert_array_equal(part, whole[start:stop])


@each_corruption
def test_floats_are_alike_to_the_last_bit_in_any_batch(name):
    images = np.random.default_rng(0).random((7, 33, 29, 3)).astype("float32")
    whole = corrupt_images(images, name, 2)
    for index in (0, 3, 6):
        alone = corrupt_images(images[index][None], name, 2, offset=index)
        np.testing.assert_array_equal(alone[0], whole[index])


@pytest.mark.parametrize("name", ["gaussian_noise", "frost"])
def test_images_beyond_a_chunk_are_corrupted_to_the_end(name):
    count = CHUNK // 32**2 + 3
    images = np.full((count, 32, 32, 1), 100, "uint8")
    found = corrupt_images(images, name, 1)
    last = corrupt_images(images[-1:], name, 1, offset=count - 1)
    np.testing.assert_array_equal(found[-1:], last)


@pytest.mark.parametrize("name", sorted({*IMAGE_CORRUPTIONS} - {*RISING[3:]}))
def test_seed_and_place_change_what_is_random(name, small):
    first = corrupt_images(small[:1], name, 3)
    assert np.any(corrupt_images(small[:1], name, 3, seed=1) != first)
    assert np.any(corrupt_images(small[:1], name, 3, offset=1) != first)


def test_the_images_passed_are_not_changed(small):
    before = small.copy()
    for name in IMAGE_CORRUPTIONS:
        corrupt_images(small, name, 5)
    np.testing.assert_array_equal(small, before)


def test_no_images_give_no_images():
    found = corrupt_images(np.zeros((0, 32, 32, 3), "uint8"), "fog", 1)
    assert found.shape == (0, 32, 32, 3) and found.dtype == "uint8"


@pytest.mark.parametrize("name", ["speckle", None])
def test_unknown_names_list_the_known(name):
    with pytest.raises(ValueError, match="Available: 'gaussian_noise', 'shot"):
        corrupt_images(np.zeros((1, 32, 32, 3), "uint8"), name, 1)


ZEROS = np.zeros((1, 32, 32, 3), "float32")


@pytest.mark.parametrize(
    "images, message",
    [
        (ZEROS.astype("int64"), "must be uint8 or float"),
        (ZEROS.astype(bool), "must be uint8 or float"),
        (ZEROS[0], r"`images\[None\]` for one image"),
        (ZEROS[..., :2], "with 1 or 3 channels"),
        (ZEROS[:, :27], "sides of at least 28 pixels"),
        (ZEROS + 200, "must lie between 0 and 1. Pass `value_range="),
        (ZEROS - 0.5, "Received: values from -0.5 to -0.5"),
        (ZEROS + np.nan, "must lie between 0 and 1"),
    ],
)
def test_bad_images_are_an_error(images, message):
    with pytest.raises(ValueError, match=message):
        corrupt_images(images, "fog", 1)


@pytest.mark.parametrize(
    "value_range", [(1, 0), (0,), 255, (0, np.nan), (0, np.inf)]
)
def test_bad_ranges_are_an_error(value_range):
    with pytest.raises(ValueError, match="two finite numbers, black and white"):
        corrupt_images(ZEROS, "fog", 1, value_range=value_range)


def test_bad_severities_seeds_and_offsets_are_an_error():
    with pytest.raises(ValueError, match="`severity` must be"):
        corrupt_images(ZEROS, "fog", 0)
    with pytest.raises(ValueError, match="`seed` must be"):
        corrupt_images(ZEROS, "fog", 1, seed=-1)
    with pytest.raises(ValueError, match="`offset` must be"):
        corrupt_images(ZEROS, "fog", 1, offset=-1)


@pytest.mark.parametrize("side", [28, 31, 64])
@pytest.mark.parametrize("name", IMAGE_CORRUPTIONS)
def test_every_severity_changes_images_of_every_size(name, side):
    smooth = ndimage.gaussian_filter(
        np.random.default_rng(0).random((1, side, side, 3)), (0, 1.5, 1.5, 0)
    )
    images = smooth.astype("float32")
    for severity in range(1, 6):
        change = corrupt_images(images, name, severity) - images
        assert np.sqrt(np.mean(change**2)) > 1e-3, severity
