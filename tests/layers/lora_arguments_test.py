"""A LoRA ensemble layer says what is wrong with its arguments."""

import keras
import pytest

from keras_plex.layers.lora_arguments import check_alpha
from keras_plex.layers.lora_arguments import check_random
from keras_plex.layers.lora_arguments import check_rank


@pytest.mark.parametrize("rank", [0, -1, 2.0, True, "4", None])
def test_a_rank_is_a_positive_integer(rank):
    with pytest.raises(ValueError, match="`rank` must be a positive integer"):
        check_rank(rank)


@pytest.mark.parametrize("alpha", [0, -1.0, True, "4", float("nan"), 1e999])
def test_an_alpha_is_positive(alpha):
    with pytest.raises(ValueError, match="`alpha` must be `None`, which is"):
        check_alpha(alpha)


def test_what_can_be_comes_back():
    assert check_rank(8) == 8
    assert check_alpha(None) is None
    assert check_alpha(16) == 16
    initializer = keras.initializers.HeNormal()
    assert check_random(initializer) is initializer


@pytest.mark.parametrize(
    "initializer", [keras.initializers.Zeros(), keras.initializers.Constant(2)]
)
def test_an_initializer_without_chance_is_refused(initializer):
    with pytest.raises(ValueError, match="must be a random Keras initializer"):
        check_random(initializer)
