"""Models side by side are one layer that leaves them as they are."""

import keras
import numpy as np
import pytest
from keras import layers
from keras import ops

from keras_plex.conversion import forward_pass
from keras_plex.conversion.heads import find_head
from keras_plex.models.member_rows import MemberRows
from tests import cases


def numpy(x):
    return ops.convert_to_numpy(x)


def members(name, count=2):
    models = []
    for seed in range(count):
        model = cases.MODELS[name]()
        models.append(cases.with_random_weights(model, seed))
    return models


@pytest.mark.parametrize("name", ["mlp", "two_inputs", "multi_output", "vit"])
def test_rows_are_the_models_outputs_one_after_the_other(name):
    models = members(name)
    x = cases.examples(models[0])
    found = cases.to_numpy(MemberRows(models)(x))
    outputs = [cases.to_numpy(model(x)) for model in models]
    expected = keras.tree.map_structure(
        lambda *parts: np.concatenate(parts), *outputs
    )
    keras.tree.map_structure(np.testing.assert_array_equal, found, expected)


@pytest.mark.parametrize("name", ["mlp", "nested", "vit"])
def test_the_pass_sees_what_reaches_the_output_layers(name):
    models = members(name)
    x = cases.examples(models[0])
    layer = MemberRows(models)
    with forward_pass.model_pass(False) as current:
        layer(x)
        assert current.head_inputs is None
    with forward_pass.returning(forward_pass.FEATURES):
        with forward_pass.model_pass(False) as current:
            rows = layer(x)
            features = current.head_inputs
    assert features.shape[0] == 8
    heads = [find_head(model).layer for model in models]
    logits = [
        numpy(head(features[4 * i : 4 * i + 4])) for i, head in enumerate(heads)
    ]
    logits = np.concatenate(logits)
    if name == "nested":
        logits = 1 / (1 + np.exp(-logits))
    np.testing.assert_allclose(logits, numpy(rows), atol=1e-5)


def test_output_layers_are_stock_layers_after_a_pass_that_fails():
    models = members("mlp")
    with forward_pass.returning(forward_pass.FEATURES):
        with pytest.raises(ValueError):
            MemberRows(models)(np.ones((2, 7), "float32"))
        MemberRows(models)(np.ones((2, 4), "float32"))
    for model in models:
        assert type(model.layers[-1]) is layers.Dense


def test_training_reaches_the_models():
    models = [
        keras.Sequential([keras.Input((50,)), layers.Dropout(0.5)])
        for _ in range(2)
    ]
    x = np.ones((1, 50), "float32")
    np.testing.assert_array_equal(MemberRows(models)(x), [x[0], x[0]])
    rows = numpy(MemberRows(models)(x, training=True))
    assert np.any(rows[0] != rows[1])


def test_metrics_that_models_were_compiled_with_stay_theirs():
    models = members("mlp")
    models[0].compile("sgd", "mse", metrics=["mae"])
    assert MemberRows(models).metrics == []


def test_inputs_are_cast_by_the_models_alone():
    models = members("mlp")
    layer = MemberRows(models, dtype="mixed_bfloat16")
    assert keras.backend.standardize_dtype(layer(X).dtype) == "float32"


X = np.ones((2, 4), "float32")
