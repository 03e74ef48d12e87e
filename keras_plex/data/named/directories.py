"""Where a named data set lies, and whether all of it is there.

Decided by looking: TensorFlow Datasets would ask the network, for minutes.
"""

import dataclasses
import json
import os
import pathlib

from keras_plex.data.named.named_data_set import NamedDataSet

READY, MISSING, INTERRUPTED = "ready", "missing", "interrupted"


@dataclasses.dataclass(frozen=True)
class Place:
    """Where a data set lies, or would.

    Args:
        path: the directory that it was prepared in, or its file.
        state: `"ready"`, `"missing"` or `"interrupted"`.
        remains: what an interrupted preparation left, or other versions.
    """

    path: pathlib.Path
    state: str
    remains: tuple[pathlib.Path, ...] = ()


def data_directory(data_dir: str | os.PathLike | None) -> pathlib.Path:
    """The directory of all data sets.

    Args:
        data_dir: `None` for `TFDS_DATA_DIR`, or else `~/tensorflow_datasets`,
            which is what TensorFlow Datasets takes.
    """
    chosen = data_dir or os.environ.get("TFDS_DATA_DIR")
    return pathlib.Path(chosen or "~/tensorflow_datasets").expanduser()


def manual_directory(root: pathlib.Path) -> pathlib.Path:
    """Where files lie that you must fetch yourself."""
    return root / "downloads" / "manual"


def find_place(row: NamedDataSet, root: pathlib.Path) -> Place:
    """Where a data set lies, and its state.

    Args:
        row: of `DATA_SETS`.
        root: the `data_directory`.
    """
    if row.tfds is None:
        path = root / row.name / str(row.file)
        return Place(path, READY if path.is_file() else MISSING)
    name, _, version = row.tfds.partition(":")
    parent = root.joinpath(*name.split("/"))
    path = parent / version
    if path.is_dir():
        lacking = _lacking_files(path)
        state = INTERRUPTED if lacking else READY
        return Place(path, state, lacking)
    # TensorFlow Datasets writes beside the directory, then renames.
    unfinished = tuple(sorted(parent.glob(f"incomplete.*_{version}")))
    if unfinished:
        return Place(path, INTERRUPTED, unfinished)
    others = tuple(sorted(parent.glob("*.*.*/dataset_info.json")))
    return Place(path, MISSING, tuple(other.parent for other in others))


def _lacking_files(path: pathlib.Path) -> tuple[pathlib.Path, ...]:
    """Files that a prepared directory must hold and does not."""
    found = path / "dataset_info.json"
    try:
        info = json.loads(found.read_text(encoding="utf-8"))
        splits = [
            (one["name"], len(one["shardLengths"])) for one in info["splits"]
        ]
        kind = f"{info['name']}-{{}}.{info.get('fileFormat', 'tfrecord')}"
    except (OSError, ValueError, KeyError):
        return (found,)
    files = [
        path / f"{kind.format(name)}-{shard:05d}-of-{shards:05d}"
        for name, shards in splits
        for shard in range(shards)
    ]
    return tuple(file for file in files if not file.is_file())
