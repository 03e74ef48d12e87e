"""What would be downloaded, and, once you say yes, the download."""

import contextlib
import importlib
import itertools
import json
import pathlib
import shutil
import sys
import urllib.error
import urllib.request
from collections.abc import Iterable
from collections.abc import Iterator
from typing import Any

from keras_plex.data.named.directories import INTERRUPTED
from keras_plex.data.named.directories import MISSING
from keras_plex.data.named.directories import READY
from keras_plex.data.named.directories import Place
from keras_plex.data.named.directories import find_place
from keras_plex.data.named.directories import manual_directory
from keras_plex.data.named.named_data_set import NamedDataSet

SECONDS_TO_REACH = 10


def import_tfds() -> Any:
    """TensorFlow Datasets; raises with the pip line where it is missing."""
    try:
        # Without it, every preparation would end in an error.
        importlib.import_module("importlib_resources")
        return importlib.import_module("tensorflow_datasets")
    except ImportError as error:
        raise ModuleNotFoundError(
            "Named data sets need TensorFlow Datasets: "
            '`pip install "keras_plex[datasets]"`.',
            name=error.name,
        ) from error


def prepare_data_sets(
    rows: Iterable[NamedDataSet], root: pathlib.Path, *, download: bool
) -> dict[str, pathlib.Path]:
    """Where each data set lies, once all of them do.

    Args:
        rows: of `DATA_SETS`.
        root: the `data_directory`.
        download: whether what is missing may be downloaded and prepared.

    Raises:
        ValueError: what is missing, how large it is and how to go on; before
            anything is downloaded.
    """
    places = {row.name: (row, find_place(row, root)) for row in rows}
    missing = [
        (row, place) for row, place in places.values() if place.state != READY
    ]
    if missing and not download:
        raise ValueError(download_plan(missing, root))
    _check_manual_files(missing, root)
    for row, _ in missing:
        _check_network(row, root)
    if missing:
        print(_announcement(missing, root), file=sys.stderr)
    for row, place in missing:
        _download(row, place, root)
    return {name: place.path for name, (_, place) in places.items()}


def download_plan(
    missing: list[tuple[NamedDataSet, Place]], root: pathlib.Path
) -> str:
    """What is missing, how large it is, its licence, and how to go on."""
    lines = [_what_is_missing(missing, root)]
    if any(row.tfds for row, _ in missing):
        lines.append(
            f"Nothing was downloaded; it would be {_total(missing)} in all. "
            "Pass `download=True` to download and prepare it there, or "
            "`data_dir` where it lies elsewhere."
        )
    return "\n".join(lines)


def _announcement(
    missing: list[tuple[NamedDataSet, Place]], root: pathlib.Path
) -> str:
    """What is about to be downloaded, and how large it is."""
    plan = _what_is_missing(missing, root)
    return f"{plan}\nDownloading {_total(missing)} in all."


def _what_is_missing(
    missing: list[tuple[NamedDataSet, Place]], root: pathlib.Path
) -> str:
    count = len(missing)
    are = "data set is" if count == 1 else "data sets are"
    lines = [f"{count} {are} not in {str(root)!r}:"]
    for _, family in itertools.groupby(missing, _family):
        (row, place), *others = family
        more = f" and {len(others)} more of its kind" if others else ""
        lines.append(f"- {row.name}{more}: {_size(row)}; {_licence(row)}")
        lines.extend(f"  {note}" for note in _notes(row, place, root))
    return "\n".join(lines)


def size_in_words(size: int | None) -> str:
    """The size of a download, in powers of 1024.

    Example:

    >>> size_in_words(170_052_171), size_in_words(0), size_in_words(None)
    ('162.2 MiB', '0 KiB', 'unknown')
    """
    if size is None:
        return "unknown"
    for unit, factor in (("GiB", 2**30), ("MiB", 2**20)):
        if size >= factor:
            return f"{size / factor:.1f} {unit}"
    return f"{-(-size // 1024)} KiB"


def _family(one: tuple[NamedDataSet, Place]) -> tuple[str, str]:
    row, place = one
    return row.name.partition("/")[0], place.state


def _size(row: NamedDataSet) -> str:
    if row.tfds is None:
        return "one file"
    return f"{size_in_words(row.download_bytes)} to download"


def _licence(row: NamedDataSet) -> str:
    licence = row.licence or "not known here"
    return f"licence: {licence}, see {row.homepage}"


def _notes(row: NamedDataSet, place: Place, root: pathlib.Path) -> list[str]:
    remains = [str(path) for path in place.remains[:3]]
    notes = []
    if place.state == INTERRUPTED:
        notes.append(
            f"its preparation was interrupted ({', '.join(remains)}), or is "
            "still running elsewhere; with `download=True` it starts again, "
            "with the files that came through"
        )
    if place.state == MISSING and remains:
        notes.append(f"of other versions, not used: {', '.join(remains)}")
    if row.tfds is None:
        notes.append(f"fetch {row.file} yourself, and put it at {place.path}")
    absent = _absent_files(row, root)
    if absent:
        notes.append(
            f"fetch {', '.join(absent)} yourself, and put them into "
            f"{manual_directory(root)}"
        )
    return notes


def _total(missing: list[tuple[NamedDataSet, Place]]) -> str:
    # Rows that share their addresses download them once.
    sizes = {
        (row.builder, row.urls): row.download_bytes
        for row, _ in missing
        if row.tfds
    }
    known = sum(size or 0 for size in sizes.values())
    least = "at least " if None in sizes.values() else ""
    return f"{least}{size_in_words(known)}"


def _absent_files(row: NamedDataSet, root: pathlib.Path) -> list[str]:
    folder = manual_directory(root)
    return [name for name in row.manual if not (folder / name).exists()]


def _check_manual_files(
    missing: list[tuple[NamedDataSet, Place]], root: pathlib.Path
) -> None:
    wanting = [
        (row, place)
        for row, place in missing
        if row.tfds is None or _absent_files(row, root)
    ]
    if wanting:
        raise ValueError(
            "Some data sets cannot be downloaded for you, and nothing was.\n"
            + download_plan(wanting, root)
        )


def _check_network(row: NamedDataSet, root: pathlib.Path) -> None:
    """Raises at once where the network cannot be reached."""
    for url in _urls_to_fetch(row, root):
        request = urllib.request.Request(url, method="HEAD")
        try:
            urllib.request.urlopen(request, timeout=SECONDS_TO_REACH).close()
        except urllib.error.HTTPError:
            pass  # It was reached, and may just not answer such a request.
        except OSError as error:
            raise ValueError(
                f"Cannot download {row.name!r}: {url} cannot be reached "
                f"({error}). Connect to the network, or prepare it elsewhere "
                f"and copy {find_place(row, root).path} here."
            ) from error
        return


def _urls_to_fetch(row: NamedDataSet, root: pathlib.Path) -> Iterator[str]:
    """The addresses that this data set needs and no download has yet."""
    # A builder may know no checksums, and so no addresses.
    known = import_tfds().builder_cls(row.builder).url_infos or row.urls
    there = _downloaded_urls(root / "downloads")
    for url in known:
        is_manual = any(name in url for name in row.manual)
        is_needed = not row.urls or any(part in url for part in row.urls)
        if is_needed and not is_manual and url not in there:
            yield url


def _downloaded_urls(directory: pathlib.Path) -> set[str]:
    # TensorFlow Datasets writes beside each file where it came from.
    found: set[str] = set()
    for path in directory.rglob("*.INFO"):
        if path.with_suffix("").exists():
            found |= set(json.loads(path.read_text()).get("urls", ()))
    return found


def _download(row: NamedDataSet, place: Place, root: pathlib.Path) -> None:
    tfds = import_tfds()
    if place.path.is_dir():
        # What an interrupted copy left would be taken for all of it.
        shutil.rmtree(place.path)
    # It prints, and the output may be a report in a pipe.
    with contextlib.redirect_stdout(sys.stderr):
        builder = tfds.builder(row.tfds, data_dir=str(root))
        config = tfds.download.DownloadConfig(
            manual_dir=str(manual_directory(root))
        )
        builder.download_and_prepare(download_config=config)
