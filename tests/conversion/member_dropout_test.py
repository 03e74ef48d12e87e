"""Which layers drop at inference, and what each member keeps."""

import keras
import numpy as np
import pytest
from keras import layers
from keras import ops

from keras_plex.conversion import forward_pass
from keras_plex.conversion.copying import copy_model
from keras_plex.conversion.member_dropout import sample_dropout
from keras_plex.ops.dropout_masks import dropout_masks
from tests import cases

RNG = np.random.default_rng(0)
MEMBERS = 3


def numpy(x):
    return ops.convert_to_numpy(x)


def sampled(stock, seed=5):
    """A copy whose rows are members', the layers, and the layout."""
    model = copy_model(stock)
    return model, *sample_dropout(model, MEMBERS, seed)


def rows_of(model, x):
    """`(members, batch, ...)`"""
    return numpy(model(x)).reshape(MEMBERS, len(x), -1)


def single_layer(layer, shape):
    """A model that is one dropout layer, and a weight to be a model."""
    inputs = keras.Input(shape)
    outputs = layer(inputs)
    return keras.Model(inputs, layers.Rescaling(1.0)(outputs))


# Layer, shape of an example, shape of one member's mask.
SHAPES = {
    "dropout": (layers.Dropout(0.5), (6, 5), (6, 5)),
    "noise shape": (
        layers.Dropout(0.5, noise_shape=(None, 1, 5)),
        (6, 5),
        (1, 5),
    ),
    "dropped examples": (
        layers.Dropout(0.5, noise_shape=(None, 1, 1)),
        (6, 5),
        (1, 1),
    ),
    "spatial 1D": (layers.SpatialDropout1D(0.5), (6, 5), (1, 5)),
    "spatial 2D": (layers.SpatialDropout2D(0.5), (3, 4, 5), (1, 1, 5)),
    "spatial 2D, channels first": (
        layers.SpatialDropout2D(0.5, data_format="channels_first"),
        (5, 3, 4),
        (5, 1, 1),
    ),
    "spatial 3D": (layers.SpatialDropout3D(0.5), (2, 3, 4, 5), (1, 1, 1, 5)),
}


@pytest.mark.parametrize("name", SHAPES)
def test_each_member_keeps_what_its_mask_says(name):
    layer, shape, mask_shape = SHAPES[name]
    model, paths, layout = sampled(single_layer(layer, shape))
    assert len(paths) == 1 and layout.member_outputs == (True,)
    x = RNG.normal(size=(4, *shape)).astype("float32")
    masks = numpy(dropout_masks(5, 0, MEMBERS, mask_shape, 0.5))
    expected = x[None] * masks[:, None]
    np.testing.assert_allclose(
        rows_of(model, x), expected.reshape(MEMBERS, 4, -1), rtol=1e-6
    )


def test_layers_and_members_have_masks_of_their_own():
    inputs = keras.Input((50,))
    x = layers.Dropout(0.5)(inputs)
    y = layers.Dropout(0.5)(inputs)
    model, paths, _ = sampled(keras.Model(inputs, [x, y]))
    assert len(paths) == 2
    first, second = (numpy(rows) for rows in model(np.ones((1, 50))))
    kept = np.concatenate([first, second])
    assert len(np.unique(kept, axis=0)) == 2 * MEMBERS


def test_a_rate_of_zero_is_no_dropout():
    inputs = keras.Input((5,))
    x = layers.Dropout(0.0)(inputs)
    model, paths, _ = sampled(
        keras.Model(inputs, layers.Dropout(0.5, name="drops")(x))
    )
    assert paths == ["drops"]


def test_a_pass_of_the_stock_model_is_the_stock_layers():
    inputs = keras.Input((200,))
    x = layers.Dropout(0.5, seed=1)(inputs)
    stock = keras.Model(inputs, x)
    model, _, _ = sampled(stock)
    x = np.ones((2, 200), "float32")
    with forward_pass.stock_pass():
        np.testing.assert_array_equal(model(x), x)
        found = numpy(model(x, training=True))
    np.testing.assert_array_equal(found, numpy(stock(x, training=True)))
    assert np.any(found[0] != found[1])


def test_a_mask_does_not_depend_on_the_length():
    inputs = keras.Input((None, 5))
    model, _, layout = sampled(keras.Model(inputs, layers.Dropout(0.5)(inputs)))
    assert layout.member_outputs == (True,)
    x = RNG.normal(size=(2, 9, 5)).astype("float32")
    long, short = numpy(model(x)), numpy(model(x[:, :4]))
    np.testing.assert_array_equal(long[:, :4], short)


def test_attention_drops_scores_inside_its_block():
    inputs = keras.Input((5, 4))
    x = layers.Dense(8)(inputs)
    attention = layers.MultiHeadAttention(2, 4, dropout=0.4, name="attention")
    x = x + attention(x, x)
    stock = cases.with_random_weights(keras.Model(inputs, x))
    model, (path,), _ = sampled(stock)
    assert path.startswith("attention/")
    found = rows_of(model, RNG.normal(size=(2, 5, 4)).astype("float32"))
    assert np.abs(found - found.mean(0)).max() > 1e-2


def test_low_precision_stays_low():
    inputs = keras.Input((6,))
    x = layers.Dropout(0.5, dtype="mixed_bfloat16")(inputs)
    model, _, _ = sampled(keras.Model(inputs, x))
    assert keras.backend.standardize_dtype(model(X6).dtype) == "bfloat16"


X6 = np.ones((2, 6), "float32")


def test_no_dropout_says_how_to_get_some():
    with pytest.raises(ValueError, match="'mlp' has no `Dropout`.*dropout=0.1"):
        sample_dropout(cases.make("mlp"), MEMBERS, 0)


def test_other_noise_is_named_where_there_is_no_dropout():
    inputs = keras.Input((5, 4))
    x = layers.GaussianNoise(0.1, name="noise")(inputs)
    x = layers.LSTM(3, dropout=0.2, name="memory")(x)
    message = r"noise \(GaussianNoise\), memory \(LSTM\)"
    with pytest.raises(ValueError, match=message):
        sample_dropout(keras.Model(inputs, x), MEMBERS, 0)


def test_dropping_everything_is_refused():
    inputs = keras.Input((4,))
    model = keras.Model(inputs, layers.Dropout(1.0, name="all")(inputs))
    with pytest.raises(ValueError, match="'all' drops everything"):
        sample_dropout(model, MEMBERS, 0)


@keras.saving.register_keras_serializable("keras_plex_tests")
class OnlyInTraining(layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dropout = layers.Dropout(0.5, name="skipped")

    def call(self, inputs, training=None):
        return self.dropout(inputs) if training else inputs


def test_dropout_that_inference_never_meets_is_refused():
    inputs = keras.Input((4,))
    model = keras.Model(inputs, OnlyInTraining()(inputs))
    with pytest.raises(ValueError, match="No output.*equal: .*skipped"):
        sample_dropout(model, MEMBERS, 0)
