"""A file that one backend wrote says the same under the others.

Each backend's process has imported `keras_plex` and nothing else of ours: it
loads the files of all families.
"""

import os
import pathlib
import pickle
import subprocess
import sys
from collections.abc import Sequence

import keras
import numpy as np
import pytest

import keras_plex
from tests import cases
from tests.other_backends import OTHER_BACKENDS
from tests.other_backends import ROOT
from tests.other_backends import skip_without

# One of each kind, for the ways that take a process of their own.
FEW = ("vit", "t5_seq2seq_lm", "mlp")

# Where the stock model, too, says something else under another backend:
# KerasHub's masks for texts that are padded.
STOCK_DIFFERS = {("roformer_v2", "torch")}

LOAD = """
import pathlib, pickle, sys
import keras, keras_plex
for name in sys.argv[2:]:
    path = pathlib.Path(sys.argv[1], f"{name}.keras")
    inputs = pickle.loads(path.with_suffix(".inputs").read_bytes())
    inputs = keras.tree.map_structure(keras.ops.convert_to_tensor, inputs)
    model = keras.saving.load_model(path)
    outputs = keras.tree.flatten(model(inputs))
    found = [keras.ops.convert_to_numpy(output) for output in outputs]
    name = f"{path.stem}.{keras.config.backend()}"
    path.with_name(name).write_bytes(pickle.dumps(found))
    print(path.stem, flush=True)
"""


def save(name: str, folder: pathlib.Path) -> None:
    """Converts a model and writes it, its inputs and its outputs."""
    if name in cases.FAMILIES:
        case = cases.FAMILIES[name]
        stock = cases.make_family(name)
        arguments = cases.family_arguments(name)
        make_inputs = case.make_inputs or cases.examples
    else:
        stock, make_inputs = cases.make(name), cases.examples
        arguments = {"head": "keep", "last_blocks": 1}
    model = keras_plex.plexify(
        stock, seed=0, fast_weight_stddev=0.5, **arguments
    )
    x = make_inputs(model, 4)  # a new head may take other inputs
    model.save(folder / f"{name}.keras")
    tensors = keras.tree.map_structure(keras.ops.convert_to_tensor, x)
    outputs = keras.tree.flatten(cases.to_numpy(model(tensors)))
    (folder / f"{name}.inputs").write_bytes(pickle.dumps(x))
    (folder / f"{name}.saved").write_bytes(pickle.dumps(outputs))


def run(backend: str, *command: str) -> None:
    result = subprocess.run(
        [sys.executable, *command],
        capture_output=True,
        cwd=ROOT,
        env={
            **os.environ,
            "KERAS_BACKEND": backend,
            "PYTHONPATH": str(ROOT),
            "JAX_DISABLE_MOST_OPTIMIZATIONS": "1",
        },
        text=True,
    )
    assert result.returncode == 0, result.stdout + result.stderr[-4000:]


def check_loaded(
    folder: pathlib.Path, backend: str, tolerance: float, names: Sequence[str]
) -> None:
    for path in [folder / f"{name}.saved" for name in names]:
        saved = pickle.loads(path.read_bytes())
        loaded = pickle.loads(path.with_suffix(f".{backend}").read_bytes())
        for one, other in zip(saved, loaded, strict=True):
            np.testing.assert_allclose(
                other, one, rtol=tolerance, atol=tolerance, err_msg=path.stem
            )


@pytest.fixture(scope="module")
def files_of_all(tmp_path_factory):
    """Every family's file, written under the backend in use."""
    folder = tmp_path_factory.mktemp("files")
    for name in cases.FAMILIES:
        save(name, folder)
    return folder


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*does not support masking:UserWarning")
@pytest.mark.filterwarnings("ignore:Cannot tell where the rows:UserWarning")
@pytest.mark.parametrize("backend", [keras.config.backend(), *OTHER_BACKENDS])
def test_files_of_this_backend_load_in_a_fresh_process(files_of_all, backend):
    skip_without(backend)
    is_same = backend == keras.config.backend()
    # JAX compiles each operation of each model.
    names = cases.FEW_FAMILIES if backend == "jax" else tuple(cases.FAMILIES)
    names = [x for x in names if (x, backend) not in STOCK_DIFFERS]
    run(backend, "-c", LOAD, str(files_of_all), *names)
    check_loaded(files_of_all, backend, 0.0 if is_same else 1e-4, names)


@pytest.mark.slow
@pytest.mark.parametrize("backend", OTHER_BACKENDS)
def test_files_of_another_backend_load_here(tmp_path, backend):
    skip_without(backend)
    run(backend, "-m", "tests.backends_test", str(tmp_path), *FEW)
    run(keras.config.backend(), "-c", LOAD, str(tmp_path), *FEW)
    check_loaded(tmp_path, keras.config.backend(), 1e-4, FEW)


if __name__ == "__main__":
    for model in sys.argv[2:]:
        save(model, pathlib.Path(sys.argv[1]))
