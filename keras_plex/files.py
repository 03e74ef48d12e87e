"""Files that are never seen half written."""

import contextlib
import os
import pathlib
import uuid
from collections.abc import Iterator
from typing import BinaryIO


@contextlib.contextmanager
def whole_file(path: pathlib.Path) -> Iterator[BinaryIO]:
    """Opens a file to write, which is at `path` once all of it is written.

    After an error `path` is as it was, and nothing is left beside it.

    Args:
        path: of the file, which is replaced if it exists; its folder is there.

    Example:

    >>> with whole_file(pathlib.Path("numbers.txt")) as file:
    ...     _ = file.write(b"1 2 3")
    >>> pathlib.Path("numbers.txt").read_text()
    '1 2 3'
    """
    unfinished = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}")
    try:
        with open(unfinished, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)
