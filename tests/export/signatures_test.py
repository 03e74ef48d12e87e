"""Which models can be exported, and the error of those that cannot."""

import keras
import numpy as np
import pytest

import keras_plex
from keras_plex.export import answer_request
from keras_plex.export import export_for_serving
from keras_plex.export.signatures import ANSWERS
from keras_plex.export.signatures import check_classifier
from keras_plex.export.signatures import serving_signatures
from keras_plex.scores import SCORES


def chain(*layers):
    inputs = keras.Input((4,))
    x = inputs
    for layer in layers:
        x = layer(x)
    return keras.Model(inputs, x)


def regression():
    stock = chain(keras.layers.Dense(8, "relu"), keras.layers.Dense(1))
    return keras_plex.plexify(stock, last_blocks=1)


def independent_labels():
    stock = chain(
        keras.layers.Dense(8, "relu"), keras.layers.Dense(3, "sigmoid")
    )
    return keras_plex.plexify(stock, last_blocks=1)


def two_outputs():
    inputs = keras.Input((4,))
    outputs = keras.layers.Dense(3)(inputs), keras.layers.Dense(2)(inputs)
    return keras.Model(inputs, outputs)


def one_label_per_token():
    inputs = keras.Input((5, 4))
    return keras.Model(inputs, keras.layers.Dense(3)(inputs))


FAULTS = {
    "a string": (lambda: "model.keras", "must be a `PlexModel`"),
    "a layer": (lambda: keras.layers.Dense(3), "must be a `PlexModel`"),
    "unbuilt": (
        lambda: keras.Sequential([keras.layers.Dense(3)]),
        "inputs and outputs of .* must be known",
    ),
    "regression": (regression, "is a regression model"),
    "stock regression": (
        lambda: chain(keras.layers.Dense(1)),
        "is a regression model",
    ),
    "independent labels": (independent_labels, "gives 3 independent labels"),
    "two outputs": (two_outputs, "must have one output"),
    "tokens": (one_label_per_token, r"shapes=\[\(None, 5, 3\)\]"),
    "no output layer": (
        lambda: chain(keras.layers.Dense(3), keras.layers.LayerNormalization()),
        "has no `Dense` output layer",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_model_that_is_no_classifier_raises(name, tmp_path):
    make, message = FAULTS[name]
    with pytest.raises(ValueError, match=message):
        export_for_serving(make(), tmp_path / "served")
    assert not any(tmp_path.iterdir())


def test_compiled_loss_tells_a_classifier_from_a_regression():
    stock = chain(keras.layers.Dense(1))
    stock.compile(loss=keras.losses.BinaryCrossentropy(from_logits=True))
    check_classifier(stock)


def test_features_are_those_of_a_known_output_layer(model, stock):
    assert "features" in serving_signatures(model, "msp", 0.5)
    assert "features" not in serving_signatures(stock, "msp", 0.5)


def test_score_with_another_shape_raises(model, tmp_path, monkeypatch):
    monkeypatch.setitem(SCORES, "all", lambda fields: fields.probabilities)
    with pytest.raises(ValueError, match="one number per example"):
        export_for_serving(model, tmp_path / "served", ood_score="all")
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("method", ["temperature", "vector", "isotonic"])
def test_server_answers_calibrated_numbers_and_sets(method, tmp_path):
    stock = chain(keras.layers.Dense(8, "relu"), keras.layers.Dense(3))
    model = keras_plex.plexify(stock, last_blocks=1, head="keep", seed=0)
    x = np.random.default_rng(0).normal(size=(60, 4)).astype("float32")
    y = np.arange(60) % 3
    model.calibrate((x, y), method)
    plain = answer_request(export_for_serving(model, tmp_path / "plain"), x)
    assert "prediction_set" not in plain
    model.conformalize((x, y), 0.2)
    answer = answer_request(export_for_serving(model, tmp_path / "sets"), x)
    found = model.predict_uncertainty(x)
    for name, field in ANSWERS.items():
        expected = getattr(found, field)
        if expected is not None:
            np.testing.assert_allclose(
                answer[name], expected, atol=1e-5, err_msg=name
            )
    assert answer["prediction_set"].dtype == bool
    held = answer["prediction_set"][np.arange(60), y].sum()
    assert held >= np.ceil(61 * 0.8)
