"""Version folders as TensorFlow Serving reads them, written atomically."""

import contextlib
import errno
import os
import pathlib
import shutil
import time
import uuid
from collections.abc import Callable

# Hidden and no number: a server that looks for versions passes it over.
UNFINISHED = ".keras_plex_export_"
STALE_SECONDS = 24 * 60 * 60
TAKEN = (errno.EEXIST, errno.ENOTEMPTY)


def write_version(
    directory: str | pathlib.Path,
    version: int | None,
    write: Callable[[pathlib.Path], None],
) -> pathlib.Path:
    """Lets `write` fill a hidden folder, then renames it to the version.

    A process that is killed leaves at most the hidden folder behind; the next
    call removes those that are a day old.

    Args:
        directory: where the versions are; made if need be, and removed again
            on failure.
        version: positive int, or `None` for the next one.
        write: fills the existing folder that it is given.

    Returns:
        The path of the version folder.
    """
    check_target(directory, version)
    directory = pathlib.Path(directory)
    unfinished = directory / f"{UNFINISHED}{uuid.uuid4().hex}"
    missing = _missing_folders(directory)
    try:
        _make_folder(unfinished)
        _remove_stale(directory)
        write(unfinished)
        return _publish(unfinished, directory, version)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        for folder in missing:
            with contextlib.suppress(OSError):
                folder.rmdir()
        raise


def check_target(directory: str | pathlib.Path, version: int | None) -> None:
    """Raises unless that version can be written there."""
    is_integer = isinstance(version, int) and not isinstance(version, bool)
    if version is not None and not (is_integer and version > 0):
        raise ValueError(
            "`version` must be a positive integer, or `None` for the next one."
            f" Received: version={version!r}"
        )
    if "://" in os.fspath(directory):
        raise ValueError(
            "`directory` must be a folder of this machine; copy the version "
            "folder to a remote store afterwards. "
            f"Received: directory={os.fspath(directory)!r}"
        )
    directory = pathlib.Path(directory)
    if directory.exists() and not directory.is_dir():
        raise NotADirectoryError(
            f"`directory` must be a folder. Received a file: {directory}"
        )
    versions = find_versions(directory)
    if version in versions:
        raise FileExistsError(
            f"Version {version} exists already: {versions[version]}. The next "
            f"free version is {max(versions) + 1}; `version=None` takes it."
        )


def find_versions(directory: pathlib.Path) -> dict[int, pathlib.Path]:
    """What a server would take for versions, by number."""
    if not directory.is_dir():
        return {}
    return {
        int(path.name): path
        for path in sorted(directory.iterdir())
        if path.name.isascii() and path.name.isdigit()
    }


def _missing_folders(directory: pathlib.Path) -> list[pathlib.Path]:
    """`directory` and its parents that do not exist, the deepest first."""
    return [
        path for path in (directory, *directory.parents) if not path.exists()
    ]


def _make_folder(path: pathlib.Path) -> None:
    try:
        path.mkdir(parents=True)
    except OSError as error:
        raise OSError(
            error.errno,
            "`directory` must be a folder that can be made and written "
            f"({error.strerror})",
            str(path.parent),
        ) from error


def _remove_stale(directory: pathlib.Path) -> None:
    oldest = time.time() - STALE_SECONDS
    for path in directory.glob(f"{UNFINISHED}*"):
        if path.is_dir() and path.stat().st_mtime < oldest:
            shutil.rmtree(path, ignore_errors=True)


def _publish(
    unfinished: pathlib.Path, directory: pathlib.Path, version: int | None
) -> pathlib.Path:
    while True:
        # Again: another process may have taken the version meanwhile.
        check_target(directory, version)
        number = version
        if number is None:
            number = max(find_versions(directory), default=0) + 1
        try:
            return unfinished.rename(directory / str(number))
        except OSError as error:
            if error.errno not in TAKEN:
                raise
