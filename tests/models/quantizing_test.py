"""Quantization before the conversion and after it; what Keras cannot do."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_plex import plexify
from keras_plex.conversion.surgery import walk_layers
from tests import cases

NEUTRAL = {"last_blocks": 1, "fast_weight_stddev": 0.0}
MODES = ("int8", "int4", "float8")
LABELS = np.array([0, 1, 2, 0])


def quantized_mlp(mode="int8"):
    model = cases.make("mlp")
    model.layers[0].quantize(mode)
    return model


def quantized_paths(model):
    return [
        layer.path
        for layer in walk_layers(model)
        if layer.quantization_mode is not None
    ]


def compiled(plex):
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    plex.compile(keras.optimizers.SGD(0.1), loss)
    return plex


def probabilities(model, x):
    return cases.to_numpy(ops.softmax(model(x)))


# Before the conversion.


@pytest.mark.parametrize("mode", MODES)
def test_a_quantized_trunk_starts_neutral_and_is_copied_exactly(mode):
    stock = quantized_mlp(mode)
    x = cases.examples(stock)
    expected = probabilities(stock, x)
    weights = [ops.convert_to_numpy(w) for w in stock.layers[0].weights]
    plex = plexify(stock, **NEUTRAL)
    np.testing.assert_allclose(probabilities(plex, x), expected, atol=1e-5)
    assert plex.layers[0].quantization_mode == mode
    copied = {w.name: ops.convert_to_numpy(w) for w in plex.layers[0].weights}
    for weight, value in zip(stock.layers[0].weights, weights, strict=True):
        np.testing.assert_array_equal(copied[weight.name], value)


@pytest.mark.parametrize("mode", MODES)
def test_the_rest_learns_and_the_file_is_whole_twice(mode, tmp_path):
    plex = compiled(plexify(quantized_mlp(mode), last_blocks=1, seed=0))
    x = cases.examples(plex)
    kernel = ops.convert_to_numpy(plex.layers[0].kernel)
    alpha = ops.convert_to_numpy(plex.layers[1].alpha)
    plex.fit(x, LABELS, verbose=0)
    assert not np.array_equal(ops.convert_to_numpy(plex.layers[1].alpha), alpha)
    if mode != "float8":  # which learns in eight bits
        names = [w.name for w in plex.layers[0].trainable_weights]
        assert names == ["bias"]
    else:
        now = ops.convert_to_numpy(plex.layers[0].kernel)
        assert not np.array_equal(now, kernel)
    expected = plex.predict(x, verbose=0)
    loaded = plex
    for name in ("one.keras", "two.keras"):
        loaded.save(tmp_path / name)
        loaded = keras.saving.load_model(tmp_path / name)
        np.testing.assert_array_equal(loaded.predict(x, verbose=0), expected)
    assert loaded.layers[0].quantization_mode == mode


def quantized_vit():
    stock = cases.make("vit")
    for layer in walk_layers(stock):
        is_leaf = type(layer) in (keras.layers.Dense, keras.layers.EinsumDense)
        if is_leaf and "block_1/" in layer.path:
            layer.quantize("int8")
    return stock


def test_a_quantized_block_of_a_vit_is_a_trunk(tmp_path):
    stock = quantized_vit()
    x = cases.examples(stock)
    plex = compiled(plexify(stock, **NEUTRAL))
    assert len(quantized_paths(plex)) == len(quantized_paths(stock)) == 6
    np.testing.assert_allclose(
        probabilities(plex, x), probabilities(stock, x), atol=1e-5
    )
    loaded = plex
    for name in ("one.keras", "two.keras"):
        loaded.save(tmp_path / name)
        loaded = keras.saving.load_model(tmp_path / name)
        np.testing.assert_array_equal(
            cases.to_numpy(loaded(x)), cases.to_numpy(plex(x))
        )


@pytest.mark.filterwarnings(
    "ignore:.*was not called as part of model loading:UserWarning"
)
def test_stock_keras_cannot_save_such_a_vit_twice(tmp_path):
    # Why a copy gives each quantized layer a policy of its own.
    stock = quantized_vit()
    stock.save(tmp_path / "one.keras")
    loaded = keras.saving.load_model(tmp_path / "one.keras")
    with pytest.raises(ValueError, match="Invalid dtype: object"):
        loaded.save(tmp_path / "two.keras")


def test_quantized_layers_to_convert_are_refused_with_the_way_out():
    stock = quantized_mlp()
    with pytest.raises(
        ValueError, match="1 of the 2 layers .*dense_1'.*`last_blocks`"
    ):
        plexify(stock, last_blocks=2)
    (path,) = quantized_paths(stock)
    assert path.endswith("dense_1")


def test_a_quantized_output_layer_is_kept_or_refused():
    stock = cases.make("mlp")
    stock.layers[-1].quantize("int8")
    with pytest.raises(ValueError, match="'head' is quantized.*keep"):
        plexify(stock, last_blocks=1)
    plex = plexify(stock, head="keep", **NEUTRAL)
    x = cases.examples(stock)
    np.testing.assert_allclose(
        probabilities(plex, x), probabilities(stock, x), atol=1e-5
    )


# After it.


def test_quantizing_changes_the_trunk_and_nothing_of_the_members(tmp_path):
    plex = compiled(plexify(cases.make("mlp"), last_blocks=1, seed=0))
    x = cases.examples(plex)
    before = plex.predict(x, verbose=0)
    alpha = ops.convert_to_numpy(plex.layers[1].alpha)
    plex.quantize("int8")
    (path,) = quantized_paths(plex)
    assert path.endswith("dense_1")
    np.testing.assert_array_equal(plex.layers[1].alpha, alpha)
    after = plex.predict(x, verbose=0)
    assert 0 < np.abs(after - before).max() < 0.1
    np.testing.assert_allclose(after, plex(x), atol=1e-6)
    plex.fit(x, LABELS, verbose=0)
    plex.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(
        loaded.predict(x, verbose=0), plex.predict(x, verbose=0)
    )


def test_a_failed_quantization_changes_nothing():
    plex = plexify(cases.make("mlp"), layers=["dense_2"], seed=0)
    plex.quantize("int8")
    x = cases.examples(plex)
    before = plex.get_weights(), plex.predict(x, verbose=0)
    with pytest.raises(ValueError, match="already quantized"):
        plex.quantize("int8")
    with pytest.raises(ValueError, match="Nothing of 'mlp'.*'dense_2'"):
        plex.quantize("int8", filters="dense_2")
    with pytest.raises(ValueError, match="int8, int4, float8.*'gptq'"):
        plex.quantize("gptq")
    for old, new in zip(before[0], plex.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    np.testing.assert_array_equal(plex.predict(x, verbose=0), before[1])


@pytest.mark.parametrize(
    "filters, expected",
    [
        ("dense", ["dense_1"]),
        (["nothing", "_1$"], ["dense_1"]),
        (lambda layer: layer.name == "dense_1", ["dense_1"]),
    ],
)
def test_filters_are_those_of_keras(filters, expected):
    plex = plexify(cases.make("mlp"), last_blocks=1, seed=0)
    plex.quantize("int8", filters=filters)
    assert quantized_paths(plex) == expected
