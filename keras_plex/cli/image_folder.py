"""A folder of images as batches, a class for each folder in it."""

import importlib.util
import math
import pathlib

import keras
import numpy as np

SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".webp")


class ImageFolder(keras.utils.PyDataset):
    """Reads images when they are asked for, in the order of their names.

    Images that lie in the folder itself have no labels.

    Args:
        folder: of images, or of a folder of images for each class.
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
        self.files, self.labels = _image_files(folder, "**/*"), None
        names = sorted(one.name for one in folder.iterdir() if one.is_dir())
        if names and with_labels:
            order = _order_of_classes(names, classes, num_classes)
            by_class = {n: _image_files(folder / n, "*") for n in names}
            self.files = [file for name in names for file in by_class[name]]
            self.labels = np.array(
                [order[name] for name in names for _ in by_class[name]],
                "int32",
            )
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

    def __len__(self) -> int:
        return math.ceil(len(self.files) / self.batch_size)

    def __getitem__(self, index: int):
        start = index * self.batch_size
        rows = slice(start, start + self.batch_size)
        images = np.stack([self._read(file) for file in self.files[rows]])
        if self.labels is None:
            return (images,)
        return images, self.labels[rows]

    def _read(self, file: pathlib.Path) -> np.ndarray:
        try:
            image = keras.utils.load_img(
                file,
                color_mode=self.color_mode,
                target_size=self.image_size,
                interpolation="bilinear",
            )
        # Pillow raises both for a damaged file.
        except (OSError, SyntaxError) as error:
            raise ValueError(
                f"The image {str(file)!r} cannot be read. {error}"
            ) from error
        black, white = self.image_range
        array = keras.utils.img_to_array(image, dtype="float32")
        return array / 255.0 * (white - black) + black


def _image_files(folder: pathlib.Path, pattern: str) -> list[pathlib.Path]:
    files = folder.glob(pattern)
    return sorted(file for file in files if file.suffix.lower() in SUFFIXES)


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
