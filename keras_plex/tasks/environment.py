"""Where and with what something was measured."""

import contextlib
import datetime
import importlib.metadata
import platform

import keras


def describe_environment() -> dict[str, str]:
    """Versions, backend, platform and date."""
    backend = keras.config.backend()
    packages = ("keras_plex", "keras", backend, "numpy")
    return {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "backend": backend,
        **{name: _version(name) for name in packages},
    }


def _version(package: str) -> str:
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        return importlib.metadata.version(package)
    return "unknown"
