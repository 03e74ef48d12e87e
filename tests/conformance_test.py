"""Every layer keeps every contract of `check_layer`, on every backend."""

import importlib.util
import os
import pathlib
import subprocess
import sys

import keras
import pytest

import keras_plex
from keras_plex.testing import check_layer
from tests.layer_cases import LAYERS

ROOT = pathlib.Path(__file__).resolve().parents[1]
OTHER_BACKENDS = {"jax", "tensorflow", "torch"} - {keras.config.backend()}


@pytest.mark.parametrize("name", LAYERS)
def test_layer_keeps_its_contracts(name):
    check_layer(*LAYERS[name])


def test_every_public_layer_has_a_row():
    public = {
        value
        for value in vars(keras_plex.layers).values()
        if isinstance(value, type) and issubclass(value, keras.layers.Layer)
    }
    missing = public - {case.layer_class for case in LAYERS.values()}
    names = sorted(layer_class.__name__ for layer_class in missing)
    assert not names, f"Add rows to tests/layer_cases.py for {names}."


@pytest.mark.slow
@pytest.mark.parametrize("backend", sorted(OTHER_BACKENDS))
def test_layers_keep_their_contracts_on_another_backend(backend):
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"Needs {backend}, which is not installed.")
    environment = {
        **os.environ,
        "KERAS_BACKEND": backend,
        # JAX spends its time on compiling what then runs once.
        "JAX_DISABLE_MOST_OPTIMIZATIONS": "1",
    }
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "-m", "not slow", __file__],
        capture_output=True,
        cwd=ROOT,
        env=environment,
        text=True,
    )
    assert result.returncode == 0, result.stdout + result.stderr
