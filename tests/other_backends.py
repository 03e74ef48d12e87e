"""Tests that run again under the backends that are not in use."""

import importlib.util
import os
import pathlib
import subprocess
import sys

import keras
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[1]
OTHER_BACKENDS = sorted(
    {"jax", "tensorflow", "torch"} - {keras.config.backend()}
)


def skip_without(backend: str) -> None:
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"Needs {backend}, which is not installed.")


def run_tests(backend: str, path: str, *arguments: str) -> None:
    """Runs the tests of one file, all but the slow ones, in a process."""
    skip_without(backend)
    few = ["-m", "not slow and not benchmark and not exhaustive"]
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *few, path, *arguments],
        capture_output=True,
        cwd=ROOT,
        env={
            **os.environ,
            "KERAS_BACKEND": backend,
            # JAX spends its time on compiling what then runs once.
            "JAX_DISABLE_MOST_OPTIMIZATIONS": "1",
        },
        text=True,
    )
    assert result.returncode == 0, result.stdout + result.stderr
