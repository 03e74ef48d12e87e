"""What is the same for layers and metrics."""

import keras
import pytest

from keras_plex.testing.shared import JIT_COMPILE
from keras_plex.testing.shared import check_config
from keras_plex.testing.shared import check_contracts
from keras_plex.testing.shared import to_numpy


def test_the_failing_contract_is_named():
    def fails(make, data):
        assert make() == data, "they differ"

    check_contracts(int, {"equals": fails}, lambda: 1, 1)
    with pytest.raises(AssertionError) as error:
        check_contracts(int, {"equals": fails}, lambda: 1, 2)
    message = str(error.value)
    assert message.startswith("int breaks the contract 'equals': ")
    assert "they differ" in message


def test_arguments_of_a_base_count_where_they_are_passed_on():
    class Scaled(keras.layers.Dense):
        def __init__(self, units=2, *, scale=1.0, **kwargs):
            super().__init__(units, **kwargs)
            self.scale = scale

        def get_config(self):
            return {**super().get_config(), "scale": self.scale}

    class PassesOn(Scaled):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)

    class DropsTheScale(PassesOn):
        def get_config(self):
            config = super().get_config()
            del config["scale"]
            return config

    for layer_class in (Scaled, PassesOn):
        check_config(layer_class, None)
    with pytest.raises(AssertionError, match="lacks {'scale'}"):
        check_config(DropsTheScale, None)


def test_a_backend_has_two_ways_of_compiling():
    assert all(len(choices) == 2 for choices in JIT_COMPILE.values())


def test_any_dtype_becomes_float32():
    array = to_numpy(keras.ops.ones((2,), dtype="bfloat16"))
    assert array.dtype == "float32" and array.tolist() == [1.0, 1.0]
