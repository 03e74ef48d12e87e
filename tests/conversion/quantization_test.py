"""How layers are quantized is written down and done again."""

import json

import keras
import numpy as np
import pytest

from keras_plex.conversion.quantization import check_modes
from keras_plex.conversion.quantization import quantization_of
from keras_plex.conversion.quantization import quantize_as
from tests import cases


@pytest.mark.parametrize("mode", ["int8", "int4", "float8"])
def test_what_is_written_is_done_again(mode):
    model = cases.make("mlp")
    model.layers[1].quantize(mode)
    written = json.loads(json.dumps(quantization_of(model)))
    assert list(written) == ["1"]
    other = cases.make("mlp")
    quantize_as(other, written)
    modes = [layer.quantization_mode for layer in other.layers]
    assert modes == [None, mode, None]
    x = cases.examples(model)
    np.testing.assert_allclose(other(x), model(x), atol=1e-6)


def test_the_quantizers_are_written_too():
    model = cases.make("mlp")
    config = keras.quantizers.Int8QuantizationConfig(activation_quantizer=None)
    model.layers[0].quantize(config=config)
    other = cases.make("mlp")
    quantize_as(other, quantization_of(model))
    restored = other.layers[0].quantization_config
    assert restored.get_config() == config.get_config()


def test_nothing_is_written_of_a_model_in_floating_point():
    assert quantization_of(cases.make("mlp")) == {}


def test_quantization_that_needs_data_is_refused():
    model = cases.make("mlp")
    check_modes(model)

    class NeedsData(keras.layers.Dense):
        @property
        def quantization_mode(self):
            return "gptq" if self.built else None

    layer = NeedsData(3, name="needs_data")
    layer.build((None, 4))
    outer = keras.Sequential([keras.Input((4,)), layer])
    with pytest.raises(ValueError, match="'needs_data'.*'gptq', which needs"):
        check_modes(outer)
