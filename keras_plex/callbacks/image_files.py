"""Files under names that every file system takes, never half written."""

import hashlib
import pathlib
import re

from keras_plex.files import whole_file

MAX_NAME = 80


def safe_file_name(name: str) -> str:
    """A name with `_` for whatever some file system does not take.

    Letters of ASCII, digits and `_ - .` stay. A name that had to change gets
    eight characters of its hash, so that no two names share a file.

    Example:

    >>> safe_file_name("svhn")
    'svhn'
    >>> safe_file_name("../noise: 10 %").startswith("_._noise__10")
    True
    """
    safe = re.sub(r"[^A-Za-z0-9_.-]", "_", name)[:MAX_NAME]
    # A leading dot hides a file or climbs; Windows drops a trailing one.
    safe = re.sub(r"^\.|\.$", "_", safe)
    if safe and safe == name:
        return name
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{safe}-{digest[:8]}"


def write_atomically(path: pathlib.Path, content: bytes) -> None:
    """Writes a file, whose folders are made, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as file:
        file.write(content)
