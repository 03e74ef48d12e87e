"""The digits come split as promised."""

import numpy as np
import pytest
from sklearn import datasets

from keras_plex.data.digits import load_digits

PARTS = ("train", "validation", "test")


@pytest.fixture(scope="module")
def digits():
    return load_digits(seed=0)


def scans_of(images):
    """One row of 64 pixels per example, as scikit-learn has them."""
    return images[:, ::2, ::2, 0].reshape(len(images), 64) * 16


def sorted_rows(rows):
    return rows[np.lexsort(rows.T)]


def test_known_digits_are_split_50_15_35(digits):
    sizes = {name: len(getattr(digits, name)[1]) for name in PARTS}
    # 1,443 scans of 0 to 7.
    assert sizes == {"train": 720, "validation": 217, "test": 506}
    shares = [sizes[name] / 1443 for name in PARTS]
    np.testing.assert_allclose(shares, [0.5, 0.15, 0.35], atol=0.002)


def test_parts_together_are_each_known_scan_once(digits):
    x, y = datasets.load_digits(return_X_y=True)
    images = np.concatenate([getattr(digits, name)[0] for name in PARTS])
    labels = np.concatenate([getattr(digits, name)[1] for name in PARTS])
    found = np.column_stack([scans_of(images), labels])
    expected = np.column_stack([x, y])[y < 8]
    np.testing.assert_array_equal(sorted_rows(found), sorted_rows(expected))


def test_unknown_are_all_scans_of_8_and_9_and_nothing_else(digits):
    x, y = datasets.load_digits(return_X_y=True)
    assert len(digits.ood) == 174 + 180
    np.testing.assert_array_equal(
        sorted_rows(scans_of(digits.ood)), sorted_rows(x[y >= 8])
    )


def test_every_part_has_each_known_class_in_its_share(digits):
    assert digits.num_classes == 8
    for name in PARTS:
        labels = getattr(digits, name)[1]
        assert set(labels) == set(range(8))
        shares = np.bincount(labels) / len(labels)
        np.testing.assert_allclose(shares, 1 / 8, atol=0.01)


def test_images_are_16_by_16_in_0_to_1(digits):
    images = [getattr(digits, name)[0] for name in (*PARTS, "shifted")]
    for x in [*images, digits.ood]:
        assert x.shape[1:] == (16, 16, 1)
        assert x.dtype == "float32"
        assert x.min() == 0.0 and x.max() == 1.0


def test_each_pixel_of_a_scan_is_four_of_the_image(digits):
    for x in (digits.train[0], digits.shifted[0], digits.ood):
        for rows, columns in ((0, 1), (1, 0), (1, 1)):
            np.testing.assert_array_equal(
                x[:, ::2, ::2], x[:, rows::2, columns::2]
            )


def test_shifted_copy_has_the_test_labels_and_noise_of_0_3(digits):
    x, labels = digits.test
    x_shifted, shifted_labels = digits.shifted
    np.testing.assert_array_equal(shifted_labels, labels)
    noise = (x_shifted - x)[:, ::2, ::2]
    inside = (x[:, ::2, ::2] > 0.4) & (x[:, ::2, ::2] < 0.6)
    assert abs(np.std(noise[inside]) - 0.3) < 0.05  # 0.3, less what is clipped
    assert abs(np.mean(noise[inside])) < 0.02


def test_seed_decides_the_split_and_the_noise(digits):
    again, other = load_digits(seed=0), load_digits(seed=1)
    for name in (*PARTS, "shifted"):
        for ours, theirs in zip(
            getattr(digits, name), getattr(again, name), strict=True
        ):
            np.testing.assert_array_equal(ours, theirs)
    assert np.any(digits.train[0] != other.train[0])
    assert np.any(digits.shifted[0] != other.shifted[0])
    np.testing.assert_array_equal(digits.ood, other.ood)
