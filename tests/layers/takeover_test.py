"""`from_layer` takes a built stock layer, and says what else came."""

import keras
import pytest

from keras_plex.layers import BatchEnsembleDense
from keras_plex.layers import BatchEnsembleEinsumDense
from keras_plex.layers import RandomFeatureGP
from keras_plex.layers.takeover import check_takeover


def built_dense(**arguments):
    layer = keras.layers.Dense(4, **arguments)
    layer.build((None, 4))
    return layer


class OwnDense(keras.layers.Dense):
    pass


def test_a_built_stock_layer_passes():
    check_takeover("Ours", keras.layers.Dense, built_dense())


def test_a_layer_of_another_class_raises_and_names_both():
    with pytest.raises(ValueError) as error:
        check_takeover("Ours", keras.layers.EinsumDense, built_dense())
    message = str(error.value)
    assert (
        "`Ours.from_layer` takes over a `keras.layers.EinsumDense`" in message
    )
    assert "Received: layer=<Dense" in message


def test_a_subclass_raises_because_its_call_may_differ():
    layer = OwnDense(4)
    layer.build((None, 4))
    with pytest.raises(ValueError, match="takes over a `keras.layers.Dense`"):
        check_takeover("Ours", keras.layers.Dense, layer)


def test_an_unbuilt_layer_raises_and_says_what_to_call():
    with pytest.raises(ValueError, match="Call `layer.build"):
        check_takeover("Ours", keras.layers.Dense, keras.layers.Dense(4))


def test_a_quantized_layer_raises():
    layer = built_dense()
    layer.quantize("int8")
    with pytest.raises(ValueError) as error:
        check_takeover("Ours", keras.layers.Dense, layer)
    assert "convert first, quantize after" in str(error.value)
    assert "quantization_mode='int8'" in str(error.value)


@pytest.mark.parametrize(
    "layer_class",
    [BatchEnsembleDense, BatchEnsembleEinsumDense, RandomFeatureGP],
)
@pytest.mark.parametrize("layer", [None, 3, keras.layers.LayerNormalization()])
def test_every_from_layer_checks(layer_class, layer):
    with pytest.raises(ValueError) as error:
        layer_class.from_layer(layer)
    assert f"`{layer_class.__name__}.from_layer`" in str(error.value)
