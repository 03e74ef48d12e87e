"""Folders are classes, in the order that the model knows."""

import os

import numpy as np
import pytest

from keras_plex.cli.image_folder import NOT_READ
from keras_plex.cli.image_folder import SUFFIXES
from keras_plex.cli.image_folder import ImageFolder
from keras_plex.cli.image_folder import holds_images

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


def test_images_may_lie_deeper_in_the_folder_of_their_class(folder):
    deeper = folder / "cat" / "kittens" / "young"
    deeper.mkdir(parents=True)
    Image.new("RGB", (6, 4), (102,) * 3).save(deeper / "0.png")
    images = ImageFolder(folder, image_size=(3, 5), num_classes=3)
    x, y = all_batches(images)
    assert y.tolist() == [0, 0, 0, 1, 1, 2, 2]
    assert sorted(x[:3, 0, 0, 0]) == [0, 0, 102]


def test_links_are_followed_once(folder, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    Image.new("RGB", (6, 4)).save(elsewhere / "0.png")
    (elsewhere / "back").symlink_to(elsewhere)
    (folder / "fox").symlink_to(elsewhere)
    _, y = all_batches(ImageFolder(folder, image_size=(3, 5)))
    assert y.tolist() == [0, 0, 1, 1, 2, 2, 3]


@pytest.mark.parametrize("suffix", [".tif", ".TIFF", ".gif", ".ppm", ".tga"])
def test_other_formats_are_read(folder, suffix):
    image = Image.new("RGB", (6, 4), (51,) * 3)
    image.save(folder / "cat" / f"2{suffix}")
    x, y = all_batches(ImageFolder(folder, image_size=(3, 5)))
    assert y.tolist() == [0, 0, 0, 1, 1, 2, 2] and x[2, 0, 0, 0] == 51


@pytest.mark.parametrize("with_labels", [True, False])
def test_a_format_that_is_not_read_is_refused(folder, with_labels):
    (folder / "cat" / "2.HEIC").touch()
    with pytest.raises(ValueError, match=r"\.tiff, .*Received: .*2.HEIC"):
        ImageFolder(folder, image_size=(3, 5), with_labels=with_labels)


def test_every_raster_format_is_read_or_refused():
    Image.init()
    known = Image.registered_extensions().items()
    kinds = {
        suffix: kind
        for suffix, kind in known
        if kind in ("BMP", "GIF", "JPEG", "JPEG2000", "PNG", "PPM", "TIFF")
    }
    assert set(kinds) <= {*SUFFIXES, *NOT_READ}
    assert not {*SUFFIXES} & {*NOT_READ}


def test_what_is_hidden_or_no_image_is_passed_over(folder):
    (folder / ".checkpoints").mkdir()
    for name in ("cat/.0.png", "cat/.DS_Store", "labels.txt", ".0.heic"):
        (folder / name).touch()
    images = ImageFolder(folder, image_size=(3, 5), num_classes=3)
    assert len(images.files) == 6


def test_an_image_beside_the_classes_has_none(folder):
    Image.new("RGB", (6, 4)).save(folder / "stray.png")
    with pytest.raises(ValueError, match=r"folders of.*\['stray.png'\]"):
        ImageFolder(folder, image_size=(3, 5))
    images = ImageFolder(folder, image_size=(3, 5), with_labels=False)
    assert len(images.files) == 7


@pytest.mark.parametrize("channels", [1, 3])
def test_more_than_8_bits_are_refused_and_not_cut(folder, channels):
    deep = Image.fromarray(np.full((4, 6), 40_000, "uint16"))
    deep.save(folder / "cat" / "0.tiff")
    images = ImageFolder(folder, image_size=(3, 5), channels=channels)
    with pytest.raises(ValueError, match="0.tiff.*8 bits.*'I;16'"):
        all_batches(images)


def test_a_damaged_image_is_named(folder):
    path = folder / "cat" / "1.png"
    path.write_bytes(path.read_bytes()[:40])
    images = ImageFolder(folder, image_size=(3, 5))
    with pytest.raises(ValueError, match=r"cat/1.png' cannot be read"):
        all_batches(images)
    path.write_text("no image")
    with pytest.raises(ValueError, match=r"cat/1.png' cannot be read"):
        all_batches(images)


def test_images_are_found_wherever_they_lie(folder):
    assert holds_images(folder)
    (folder / "notes" / "drawings").mkdir(parents=True)
    (folder / "notes" / "read.txt").touch()
    assert not holds_images(folder / "notes")
    (folder / "notes" / "drawings" / "a.svg").touch()
    assert holds_images(folder / "notes")


def test_what_does_not_fit_the_model_is_refused(folder, tmp_path_factory):
    with pytest.raises(ValueError, match="3 folders.*4 classes.*--classes"):
        ImageFolder(folder, image_size=(3, 5), num_classes=4)
    with pytest.raises(ValueError, match=r"one of --classes.*\['eel'\]"):
        ImageFolder(folder, image_size=(3, 5), classes=("cat", "dog"))
    with pytest.raises(ValueError, match="--image-size 224x224"):
        ImageFolder(folder)
    with pytest.raises(ValueError, match="must be an image"):
        ImageFolder(tmp_path_factory.mktemp("none"), image_size=(3, 5))


def fingerprint(folder, **options):
    options = {"image_size": (3, 5), **options}
    return ImageFolder(folder, **options).fingerprint()


def test_the_fingerprint_is_that_of_the_files(folder):
    path = folder / "eel" / "1.png"
    os.utime(path, ns=(0, 0))
    first = fingerprint(folder)
    assert fingerprint(folder) == first
    os.utime(path, ns=(0, 1))
    changed = fingerprint(folder)
    Image.new("RGB", (60, 40)).save(path)
    os.utime(path, ns=(0, 0))
    larger = fingerprint(folder)
    path.rename(folder / "dog" / "2.png")
    moved = fingerprint(folder)
    assert len({first, changed, larger, moved}) == 4


@pytest.mark.parametrize(
    "options",
    [
        {"image_size": (5, 3)},
        {"image_range": (0, 1)},
        {"channels": 1},
        {"batch_size": 4},
        {"classes": ("dog", "eel", "cat")},
        {"with_labels": False},
    ],
)
def test_the_fingerprint_is_that_of_how_they_are_read(folder, options):
    assert fingerprint(folder, **options) != fingerprint(folder)
