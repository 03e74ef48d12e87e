"""Folders are classes, in the order that the model knows."""

import numpy as np
import pytest

from keras_plex.cli.image_folder import ImageFolder

Image = pytest.importorskip("PIL.Image")


@pytest.fixture
def folder(tmp_path):
    for name, grey in (("cat", 0), ("dog", 255), ("eel", 51)):
        (tmp_path / name).mkdir()
        for number in range(2):
            image = Image.new("RGB", (6, 4), (grey,) * 3)
            image.save(tmp_path / name / f"{number}.png")
    return tmp_path


def all_batches(images):
    batches = [images[index] for index in range(len(images))]
    return [np.concatenate(parts) for parts in zip(*batches, strict=True)]


def test_classes_are_in_alphabetical_order(folder):
    images = ImageFolder(folder, image_size=(3, 5), batch_size=4)
    x, y = all_batches(images)
    assert x.shape == (6, 3, 5, 3) and len(images) == 2
    assert y.tolist() == [0, 0, 1, 1, 2, 2]
    assert x[:, 0, 0, 0].tolist() == [0, 0, 255, 255, 51, 51]


def test_the_order_and_the_range_can_be_given(folder):
    images = ImageFolder(
        folder,
        image_size=(3, 5),
        classes=("dog", "eel", "cat", "fox"),
        image_range=(-1, 1),
        channels=1,
    )
    x, y = all_batches(images)
    assert y.tolist() == [2, 2, 0, 0, 1, 1] and x.shape == (6, 3, 5, 1)
    np.testing.assert_allclose(x[::2, 0, 0, 0], [-1, 1, -0.6], atol=1e-6)


def test_without_labels_all_images_are_taken(folder):
    images = ImageFolder(folder, image_size=(3, 5), with_labels=False)
    [x] = all_batches(images)
    assert len(x) == 6 and not images.has_labels


def test_a_damaged_image_is_named(folder):
    path = folder / "cat" / "1.png"
    path.write_bytes(path.read_bytes()[:40])
    images = ImageFolder(folder, image_size=(3, 5))
    with pytest.raises(ValueError, match=r"cat/1.png' cannot be read"):
        all_batches(images)
    path.write_text("no image")
    with pytest.raises(ValueError, match=r"cat/1.png' cannot be read"):
        all_batches(images)


def test_what_does_not_fit_the_model_is_refused(folder, tmp_path_factory):
    with pytest.raises(ValueError, match="3 folders.*4 classes.*--classes"):
        ImageFolder(folder, image_size=(3, 5), num_classes=4)
    with pytest.raises(ValueError, match=r"one of --classes.*\['eel'\]"):
        ImageFolder(folder, image_size=(3, 5), classes=("cat", "dog"))
    with pytest.raises(ValueError, match="--image-size 224x224"):
        ImageFolder(folder)
    with pytest.raises(ValueError, match="must be an image"):
        ImageFolder(tmp_path_factory.mktemp("none"), image_size=(3, 5))
