"""A folder of images as batches, a class for each folder in it."""

import hashlib
import importlib.util
import json
import math
import pathlib
from collections.abc import Iterator

import keras
import numpy as np

# Of several frames or pages the first is read.
SUFFIXES = tuple(
    ".apng .avif .bmp .dib .gif .j2c .j2k .jfif .jp2 .jpc .jpe .jpeg .jpf .jpg "
    ".jpx .pbm .pcx .pgm .png .pnm .ppm .qoi .sgi .tga .tif .tiff .webp".split()
)

# Drawings, and what holds more than 8 bits or more than an image. To pass them
# over would be to measure on fewer images than are there.
NOT_READ = tuple(
    ".arw .avifs .bw .cr2 .cr3 .cur .dcm .dcx .dds .dng .emf .eps .exr .fit "
    ".fits .flc .fli .heic .heif .icns .ico .jxl .nef .orf .pcd .pfm .psd .pxr "
    ".raf .ras .raw .rgb .rgba .rw2 .svg .wmf .xbm .xcf .xpm".split()
)

# Pillow's names of 16 and 32 bits. What is above 255 it would cut.
DEEP_MODES = ("F", "I")


class ImageFolder(keras.utils.PyDataset):
    """Reads images when they are asked for, in the order of their names.

    Images that lie in the folder itself have no labels. Hidden files and what
    is no image are passed over.

    Args:
        folder: of images, or of a folder for each class, in which images may
            lie in further folders.
        classes: names of these folders in the order of the model's outputs.
            Defaults to their alphabetical order, which needs all of them.
        num_classes: of the model, where it is known.
        image_size: height and width.
        image_range: black and white.
        channels: 1 or 3.
        batch_size: of batches.
        with_labels: whether folders are classes; else all images in them are
            taken without labels.
    """

    def __init__(
        self,
        folder: pathlib.Path,
        *,
        classes: tuple[str, ...] = (),
        num_classes: int | None = None,
        image_size: tuple[int, int] | None = None,
        image_range: tuple[float, float] = (0.0, 255.0),
        channels: int = 3,
        batch_size: int = 32,
        with_labels: bool = True,
    ):
        super().__init__()
        if importlib.util.find_spec("PIL") is None:
            raise ModuleNotFoundError(
                "Images are read with Pillow: pip install pillow", name="PIL"
            )
        if image_size is None:
            raise ValueError(
                "The model takes images of any size: pass --image-size, as in "
                "--image-size 224x224."
            )
        self.folder = folder
        self.files, self.labels = _image_files(folder), None
        names = [one.name for one in _entries(folder) if one.is_dir()]
        if names and with_labels:
            _check_none_beside(folder, self.files)
            order = _order_of_classes(names, classes, num_classes)
            of = [file.relative_to(folder).parts[0] for file in self.files]
            self.labels = np.array([order[name] for name in of], "int32")
        if not self.files:
            raise ValueError(
                f"There must be an image, {', '.join(SUFFIXES)}, in the "
                "folder, or in the folders of its classes. Received: none"
            )
        self.image_size = image_size
        self.image_range = image_range
        self.color_mode = "grayscale" if channels == 1 else "rgb"
        self.batch_size = batch_size

    @property
    def has_labels(self) -> bool:
        """Whether batches are `(x, y)`."""
        return self.labels is not None

    def fingerprint(self) -> str:
        """Of the files, their sizes and times, and how they are read.

        Images that change between two calls have another one, without any
        being read.
        """
        facts = {
            "files": [self._describe(file) for file in self.files],
            "labels": None if self.labels is None else self.labels.tolist(),
            "image_size": self.image_size,
            "image_range": [float(limit) for limit in self.image_range],
            "color_mode": self.color_mode,
            "batch_size": self.batch_size,
        }
        text = json.dumps(facts, sort_keys=True)
        return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()

    def __len__(self) -> int:
        return math.ceil(len(self.files) / self.batch_size)

    def __getitem__(self, index: int):
        start = index * self.batch_size
        rows = slice(start, start + self.batch_size)
        images = np.stack([self._read(file) for file in self.files[rows]])
        if self.labels is None:
            return (images,)
        return images, self.labels[rows]

    def _describe(self, file: pathlib.Path) -> tuple[str, int, int]:
        status = file.stat()
        name = file.relative_to(self.folder).as_posix()
        return name, status.st_size, status.st_mtime_ns

    def _read(self, file: pathlib.Path) -> np.ndarray:
        try:
            _check_depth(file)
            image = keras.utils.load_img(
                file,
                color_mode=self.color_mode,
                target_size=self.image_size,
                interpolation="bilinear",
            )
        # Pillow raises each of them for damaged files.
        except (OSError, SyntaxError, ValueError) as error:
            raise ValueError(
                f"The image {str(file)!r} cannot be read. {error}"
            ) from error
        black, white = self.image_range
        array = keras.utils.img_to_array(image, dtype="float32")
        return array / 255.0 * (white - black) + black


def holds_images(folder: pathlib.Path) -> bool:
    """Whether there is an image, of whatever kind, in it or in its folders."""
    kinds = {*SUFFIXES, *NOT_READ}
    return any(file.suffix.lower() in kinds for file in _files(folder))


def _image_files(folder: pathlib.Path) -> list[pathlib.Path]:
    """In the order of their names, folder by folder."""
    files = []
    for file in _files(folder):
        if file.suffix.lower() in NOT_READ:
            raise ValueError(
                f"Images must be {', '.join(SUFFIXES)}: convert others, or "
                f"take them away. Received: {str(file)!r}"
            )
        if file.suffix.lower() in SUFFIXES:
            files.append(file)
    return files


def _files(
    folder: pathlib.Path, outer: tuple[pathlib.Path, ...] = ()
) -> Iterator[pathlib.Path]:
    here = folder.resolve()
    if here in outer:  # a link back
        return
    for path in _entries(folder):
        if path.is_dir():
            yield from _files(path, (*outer, here))
        else:
            yield path


def _entries(folder: pathlib.Path) -> list[pathlib.Path]:
    found = folder.iterdir()
    return sorted(path for path in found if not path.name.startswith("."))


def _check_none_beside(folder: pathlib.Path, files: list[pathlib.Path]) -> None:
    beside = [file.name for file in files if file.parent == folder]
    if beside:
        raise ValueError(
            "Images must lie in the folders of their classes, or, without "
            "labels, in a folder without others. Received: beside these "
            f"folders {beside[:3]}"
        )


def _order_of_classes(
    names: list[str], classes: tuple[str, ...], num_classes: int | None
) -> dict[str, int]:
    if not classes:
        if num_classes is not None and len(names) != num_classes:
            raise ValueError(
                f"There are {len(names)} folders of classes, and the model has "
                f"{num_classes} classes: pass --classes with their names in "
                f"the order of the model's outputs. Received: {names[:5]}"
            )
        classes = tuple(names)
    unknown = sorted(set(names) - set(classes))
    if unknown:
        raise ValueError(
            f"Each folder must be one of --classes. Received: {unknown[:5]}"
        )
    return {name: classes.index(name) for name in names}


def _check_depth(file: pathlib.Path) -> None:
    import PIL.Image

    with PIL.Image.open(file) as image:
        mode = image.mode
    if mode.startswith(DEEP_MODES):
        raise ValueError(
            "It must have 8 bits a channel: convert it. "
            f"Received: Pillow's mode {mode!r}"
        )
