"""What is installed, what is missing, and the pip line that brings it."""

import argparse
import importlib.metadata
import json
import platform

import keras
from rich.console import Console
from rich.table import Table

HELP = "show versions and the pip line for what is missing"

# Package -> the extra that brings it; None for what a plain install has.
PACKAGES = {
    "keras-plex": None,
    "keras": None,
    "numpy": None,
    "scikit-learn": None,
    "scipy": None,
    "rich": None,
    "tensorflow": "tensorflow",
    "jax": "jax",
    "torch": "torch",
    "keras-hub": "hub",
    "matplotlib": "plots",
    "tensorboard": "tensorboard",
    "tensorflow-probability": "probability",
    "tensorflow-datasets": "datasets",
    "apache-beam": "beam",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """None of its own."""


def run(arguments: argparse.Namespace) -> None:
    """Prints a table, or JSON."""
    found = {
        "python": platform.python_version(),
        "backend": keras.backend.backend(),
        "packages": {name: _version(name) for name in PACKAGES},
    }
    if arguments.json:
        print(json.dumps(found, indent=2))
        return
    table = Table(
        title=f"Python {found['python']}, Keras backend {found['backend']}"
    )
    for column in ("package", "version", "to install"):
        # In a narrow terminal a pip line is folded, not cut.
        table.add_column(column, overflow="fold")
    for name, version in found["packages"].items():
        extra = PACKAGES[name]
        line = f'pip install "keras_plex\\[{extra}]"'
        table.add_row(name, version or "missing", "" if version else line)
    Console().print(table)


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None
