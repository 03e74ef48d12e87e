"""Data from what is on disk: arrays, tables of texts, folders of images."""

import csv
import dataclasses
import json
import pathlib
import zipfile
import zlib
from collections.abc import Callable
from collections.abc import Iterator
from typing import Any

import numpy as np

from keras_plex.batches import texts_as_array
from keras_plex.cli.image_folder import ImageFolder
from keras_plex.cli.image_folder import holds_images
from keras_plex.tables import lookup
from keras_plex.types import Data

# Excel begins "CSV UTF-8" with a byte order mark, which is no text.
ENCODING = "utf-8-sig"

TEXT, LABEL, GROUP = "text", "label", "group"
# A text may be empty; a cell of a CSV that is empty is no label or group.
MISSING = {TEXT: (None,), LABEL: (None, ""), GROUP: (None, "")}
X, Y, GROUPS = "x", "y", "groups"

# What reading raises where a file is damaged, or of another kind.
UNREADABLE = (
    ValueError,
    OSError,
    EOFError,
    csv.Error,
    zipfile.BadZipFile,
    zlib.error,
)


@dataclasses.dataclass(frozen=True)
class Reading:
    """How files are read.

    Args:
        classes: their names, in the order of the model's outputs.
        num_classes: of the model, where it is known.
        image_size: height and width of images; those of the model's input
            unless it takes any.
        image_range: black and white.
        channels: of images.
        batch_size: of images.
        with_labels: whether labels are read, if there are any.
    """

    classes: tuple[str, ...] = ()
    num_classes: int | None = None
    image_size: tuple[int, int] | None = None
    image_range: tuple[float, float] = (0.0, 255.0)
    channels: int = 3
    batch_size: int = 32
    with_labels: bool = True


@dataclasses.dataclass(frozen=True)
class LoadedData:
    """What a file holds.

    Args:
        x: inputs, or batches of `(x, y)` where `is_batched`.
        y: labels, if there are any.
        groups: of each example, if there are any.
        is_batched: whether `x` is images, read batch by batch.
        has_names: whether labels are the names of classes.
    """

    x: Data
    y: np.ndarray | None = None
    groups: np.ndarray | None = None
    is_batched: bool = False
    has_names: bool = False

    @property
    def has_labels(self) -> bool:
        """Whether it is `(x, y)`."""
        return self.y is not None or (self.is_batched and self.x.has_labels)

    @property
    def has_distributions(self) -> bool:
        """Whether each label is a row with a share for each class."""
        return self.y is not None and self.y.ndim == 2 and self.y.shape[1] > 1

    @property
    def has_soft_labels(self) -> bool:
        """Whether some label is shared by classes; one-hot rows are not."""
        if self.y is None or not self.has_distributions:
            return False
        return bool((np.count_nonzero(self.y, axis=1) > 1).any())

    def labelled(self) -> Data:
        """`(x, y)`."""
        return self.x if self.is_batched or self.y is None else (self.x, self.y)

    def inputs(self) -> Data:
        """`x` alone, where that can be."""
        return self.x

    def grouped(self) -> Data:
        """`(x, y, groups)`."""
        return self.x, self.y, self.groups


class DataFiles:
    """Files that were asked for; each is read once.

    Args:
        reading: how.
    """

    def __init__(self, reading: Reading):
        self.reading = reading
        self.found: dict[tuple[pathlib.Path, bool], LoadedData] = {}

    def load(
        self, path: str | pathlib.Path, *, with_labels: bool = True
    ) -> LoadedData:
        """What the file or folder holds."""
        file = pathlib.Path(path).resolve()
        key = file, with_labels
        if key not in self.found:
            if not file.exists():
                raise FileNotFoundError(f"There is no data file {str(path)!r}.")
            reading = dataclasses.replace(self.reading, with_labels=with_labels)
            kind = file.suffix.lower()
            if file.is_dir():
                kind = _kind_of_folder(file)
            try:
                read = lookup(READERS, kind, "kind of data file")
                self.found[key] = read(file, reading)
            except UNREADABLE as error:
                raise ValueError(f"{str(path)!r}: {error}") from error
        return self.found[key]


def _kind_of_folder(folder: pathlib.Path) -> str:
    if (folder / f"{X}.npy").is_file():
        return "arrays"
    has_arrays = any(folder.glob("*.npy")) and not holds_images(folder)
    return "arrays" if has_arrays else "images"


def _read_npz(path: pathlib.Path, reading: Reading) -> LoadedData:
    with open(path, "rb") as file, np.load(file) as entries:
        arrays = {name: entries[name] for name in entries.files}
    return _from_arrays(arrays, reading)


def _read_arrays(folder: pathlib.Path, reading: Reading) -> LoadedData:
    """A file for each array, named as in an npz; they stay on the disk."""
    files = sorted(folder.glob("*.npy"))
    arrays = {file.stem: np.load(file, mmap_mode="r") for file in files}
    return _from_arrays(arrays, reading)


def _from_arrays(arrays: dict[str, np.ndarray], reading: Reading) -> LoadedData:
    y, groups = arrays.pop(Y, None), arrays.pop(GROUPS, None)
    if not reading.with_labels:
        y = groups = None
    if not arrays:
        raise ValueError(f"There must be an array {X!r}. Received: {Y!r} alone")
    if X in arrays and len(arrays) > 1:
        raise ValueError(
            f"Inputs are one array {X!r}, or named as the model's inputs. "
            f"Received: {sorted(arrays)}"
        )
    has_names = y is not None and y.dtype.kind in "US"
    if y is not None and has_names:
        y = class_indices(y.astype(str).tolist(), reading.classes)
    x: Any = arrays[X] if X in arrays else arrays
    return LoadedData(x, y, groups, has_names=has_names)


def _read_csv(path: pathlib.Path, reading: Reading) -> LoadedData:
    with open(path, newline="", encoding=ENCODING) as file:
        return _from_rows(csv.DictReader(file), reading)


def _read_jsonl(path: pathlib.Path, reading: Reading) -> LoadedData:
    with open(path, encoding=ENCODING) as file:
        lines = (json.loads(line) for line in file if line.strip())
        return _from_rows(lines, reading)


def _from_rows(rows: Iterator[dict], reading: Reading) -> LoadedData:
    """Columns `text`, `label`, `group`; the last two may be missing."""
    columns: dict[str, list] = {TEXT: [], LABEL: [], GROUP: []}
    for row in rows:
        if not isinstance(row, dict) or TEXT not in row:
            received = sorted(map(str, row)) if isinstance(row, dict) else row
            raise ValueError(
                f"There must be a column {TEXT!r}, and for labels {LABEL!r}, "
                f"for groups {GROUP!r}. Received: {received}"
            )
        for name, values in columns.items():
            is_wanted = name == TEXT or reading.with_labels
            if is_wanted and row.get(name) not in MISSING[name]:
                values.append(row[name])
    count = len(columns[TEXT])
    if not count:
        raise ValueError("There must be a row. Received: none")
    for name, values in columns.items():
        if len(values) not in (0, count):
            raise ValueError(
                f"Each row must have a {name!r}, or none. "
                f"Received: {len(values)} of {count}"
            )
    labels, groups = columns[LABEL], columns[GROUP]
    return LoadedData(
        texts_as_array([str(text) for text in columns[TEXT]]),
        class_indices(labels, reading.classes) if labels else None,
        np.array([str(group) for group in groups]) if groups else None,
        has_names=bool(labels) and not isinstance(labels[0], list),
    )


def class_indices(labels: list, classes: tuple[str, ...]) -> np.ndarray:
    """Labels as numbers: indices, names in `classes`, or distributions."""
    if isinstance(labels[0], list):
        return np.array(labels, "float32")
    if classes:
        numbers = {name: index for index, name in enumerate(classes)}
        return np.array(
            [lookup(numbers, str(label), "class") for label in labels]
        )
    return np.array([_class_index(label) for label in labels])


def _class_index(label: Any) -> int:
    if isinstance(label, float) and not label.is_integer():
        raise ValueError(
            "A label must be a class index; the shares of annotators are a "
            f"list for each row, as in [0.1, 0.9]. Received: {label}"
        )
    try:
        return int(label)
    except (TypeError, ValueError) as error:
        raise ValueError(
            "Labels must be class indices, or names that --classes puts in "
            f"the order of the model's outputs. {error}"
        ) from error


def _read_images(folder: pathlib.Path, reading: Reading) -> LoadedData:
    images = ImageFolder(
        folder,
        classes=reading.classes,
        num_classes=reading.num_classes,
        image_size=reading.image_size,
        image_range=reading.image_range,
        channels=reading.channels,
        batch_size=reading.batch_size,
        with_labels=reading.with_labels,
    )
    return LoadedData(images, is_batched=True, has_names=images.has_labels)


# Suffix, or what a folder holds -> what reads it.
READERS: dict[str, Callable[[pathlib.Path, Reading], LoadedData]] = {
    ".npz": _read_npz,
    "arrays": _read_arrays,
    ".csv": _read_csv,
    ".jsonl": _read_jsonl,
    "images": _read_images,
}
