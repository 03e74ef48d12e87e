"""What a model takes is known, and it runs without values."""

import keras
import numpy as np
import pytest
from keras import layers
from keras import ops
from keras import tree

from keras_plex.conversion.dry_run import PROBE_BATCH
from keras_plex.conversion.dry_run import input_signatures
from keras_plex.conversion.dry_run import is_graph
from keras_plex.conversion.dry_run import run_dry
from keras_plex.conversion.dry_run import run_dry_as_known
from keras_plex.conversion.dry_run import with_sizes
from tests import cases
from tests import subclassed_models as subclassed


def shapes(structure):
    return tree.map_structure(lambda x: (tuple(x.shape), x.dtype), structure)


def test_a_graph_knows_what_it_takes():
    model = cases.make("two_inputs")
    assert is_graph(model)
    (signature,) = input_signatures(model)
    expected = {"a": ((None, 4), "float32"), "b": ((None, 6), "float32")}
    assert shapes(signature) == expected
    (signature,) = input_signatures(cases.make("mlp"))
    assert shapes(signature) == ((None, 4), "float32")


def test_a_subclassed_model_knows_shapes_and_not_dtypes():
    model = subclassed.make(subclassed.Several)
    assert not is_graph(model)
    found = [shapes(x) for x in input_signatures(model)]
    assert len(found) == 4
    assert {"numbers": "float32", "words": "int32"} in [
        {name: dtype for name, (_, dtype) in one.items()} for one in found
    ]
    assert {one["words"][0] for one in found} == {(None, 5)}


def test_a_model_that_was_never_called_takes_nothing_known():
    assert input_signatures(subclassed.Classifier()) == []


def test_a_dry_run_gives_shapes():
    inputs = with_sizes(keras.Input((4,)), None)
    outputs = run_dry(lambda x: {"a": x, "b": ops.sum(x, axis=1)}, inputs)
    found = tree.map_structure(lambda x: tuple(x.shape), outputs)
    assert found == {"a": (PROBE_BATCH, 4), "b": (PROBE_BATCH,)}


def test_free_axes_get_a_length_where_one_is_given():
    inputs = keras.Input((None, 4, None))
    assert with_sizes(inputs, 8).shape == (PROBE_BATCH, 8, 4, 8)
    assert with_sizes(inputs, None).shape == (PROBE_BATCH, None, 4, None)


def test_inputs_are_tried_until_one_fits():
    model, tried = subclassed.make(subclassed.Words), []

    def run(inputs):
        tried.append(inputs.dtype)
        return run_dry(model, inputs)

    outputs = run_dry_as_known(model, run)
    assert outputs.shape == (PROBE_BATCH, cases.CLASSES)
    assert tried == ["float32", "int32"]


def test_the_first_error_is_raised_where_none_fits():
    tried = []

    def run(inputs):
        tried.append(inputs.dtype)
        raise RuntimeError(inputs.dtype)

    with pytest.raises(RuntimeError, match="float32"):
        run_dry_as_known(subclassed.make(subclassed.Words), run)
    assert tried == ["float32", "int32"]


def test_some_errors_end_the_trying():
    tried = []

    def run(inputs):
        tried.append(inputs.dtype)
        raise KeyError("stop")

    with pytest.raises(KeyError):
        run_dry_as_known(
            subclassed.make(subclassed.Words), run, passed_on=(KeyError,)
        )
    assert len(tried) == 1


def test_a_sequential_model_takes_one_tensor():
    model = keras.Sequential([layers.Dense(3)])
    model(np.ones((2, 4)))
    (signature,) = input_signatures(model)
    assert tuple(signature.shape) == (2, 4)
