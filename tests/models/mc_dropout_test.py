"""Forecasts are the mean over fixed masks; training is the stock model's."""

import keras
import numpy as np
import pytest
from keras import layers
from keras import ops

from keras_plex.conversion.copying import copy_model
from keras_plex.conversion.surgery import walk_layers
from keras_plex.models import MCDropout
from keras_plex.ops.dropout_masks import dropout_masks
from tests import cases

RNG = np.random.default_rng(0)
X = RNG.normal(size=(12, 4)).astype("float32")
Y = np.arange(12) % 3
LOSS = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def numpy(x):
    return ops.convert_to_numpy(x)


def make_stock():
    stock = keras.Sequential(
        [
            keras.Input((4,)),
            layers.Dense(8, "relu"),
            layers.Dropout(0.4, seed=1),
            layers.Dense(6, "tanh"),
            layers.BatchNormalization(),
            layers.Dropout(0.2, seed=2),
            layers.Dense(3),
        ],
        name="stock",
    )
    return cases.with_random_weights(stock)


def by_hand(stock, seed, members):
    """What each member gives for `X`, one layer and one member at a time."""
    found = []
    for member in range(members):
        x, number = X, 0
        for layer in stock.layers:
            if isinstance(layer, layers.Dropout):
                masks = dropout_masks(
                    seed, number, members, x.shape[1:], layer.rate
                )
                x, number = x * numpy(masks)[member], number + 1
            else:
                x = numpy(layer(x))
        found.append(x)
    return np.stack(found, axis=1)


def test_members_are_the_stock_model_under_their_masks():
    stock = make_stock()
    model = MCDropout(stock, 5, seed=3)
    expected = by_hand(stock, 3, 5)
    np.testing.assert_allclose(model.predict_members(X), expected, atol=1e-5)
    assert np.abs(expected - expected.mean(1, keepdims=True)).max() > 0.1


def test_many_members_of_a_linear_model_have_its_mean():
    inputs = keras.Input((20,))
    x = layers.Dropout(0.5)(inputs)
    stock = keras.Model(inputs, layers.Dense(1)(x))
    cases.with_random_weights(stock)
    model = MCDropout(stock, 2000, seed=0)
    x = RNG.normal(size=(6, 20)).astype("float32")
    members = model.predict_members(x)
    error = members.std(1) / np.sqrt(2000)
    assert np.all(
        np.abs(members.mean(1) - stock.predict(x, verbose=0)) < 4 * error
    )
    # Each input counts with the variance rate / (1 - rate).
    kernel = numpy(stock.layers[-1].kernel)
    expected = np.sqrt((x**2) @ (kernel**2))
    np.testing.assert_allclose(members.std(1), expected, rtol=0.1)


def test_the_seed_decides_and_is_drawn_where_there_is_none():
    stock = make_stock()
    one = MCDropout(stock, 3, seed=1).predict_members(X)
    same = MCDropout(stock, 3, seed=1).predict_members(X)
    np.testing.assert_array_equal(one, same)
    others = [
        MCDropout(stock, 3, seed=2),
        MCDropout(stock, 3),
        MCDropout(stock, 3),
    ]
    found = [one, *(model.predict_members(X) for model in others)]
    assert len(np.unique(found, axis=0)) == 4


def test_no_state_moves_at_inference():
    model = MCDropout(make_stock(), 3, seed=0)
    before = [numpy(v) for v in model.variables]
    first = model.predict(X, verbose=0)
    np.testing.assert_array_equal(model.predict(X, verbose=0), first)
    for old, new in zip(before, model.variables, strict=True):
        np.testing.assert_array_equal(numpy(new), old)


def test_training_is_the_stock_models_own():
    stock = make_stock()
    stock.compile(keras.optimizers.SGD(0.1), LOSS, run_eagerly=True)
    model = MCDropout(stock, 5, seed=0)
    options = {"batch_size": 4, "epochs": 2, "shuffle": False, "verbose": 0}
    expected = stock.fit(X, Y, **options).history
    assert model.fit(X, Y, **options).history == expected
    for ours, theirs in zip(model.weights, stock.weights, strict=True):
        np.testing.assert_array_equal(numpy(ours), numpy(theirs))


def test_a_call_in_training_is_the_stock_models_own():
    stock = make_stock()
    model = MCDropout(stock, 5, seed=0)
    expected = numpy(stock(X, training=True))
    np.testing.assert_array_equal(numpy(model(X, training=True)), expected)


@keras.saving.register_keras_serializable("keras_plex_tests")
class CountsRows(layers.Layer):
    """Notes how many rows reach it."""

    rows = []

    def call(self, inputs):
        self.rows.append((self.name, inputs.shape[0]))
        return inputs


def test_the_trunk_runs_once_per_example():
    stock = keras.Sequential(
        [
            keras.Input((4,)),
            CountsRows(name="first"),
            layers.Dense(6),
            CountsRows(name="last_before"),
            layers.Dropout(0.5),
            CountsRows(name="after"),
            layers.Dense(3),
        ]
    )
    model = MCDropout(stock, 5, seed=0)
    CountsRows.rows.clear()
    model(X)
    assert CountsRows.rows == [
        ("first", 12),
        ("last_before", 12),
        ("after", 60),
    ]
    CountsRows.rows.clear()
    model(X, training=True)
    assert [count for _, count in CountsRows.rows] == [12, 12, 12]


def test_the_model_passed_in_is_left_alone():
    stock = make_stock()
    before, classes = numpy(stock(X)), [type(x) for x in walk_layers(stock)]
    model = MCDropout(stock, 3, seed=0)
    model.compile("sgd", LOSS, run_eagerly=True)
    model.fit(X, Y, verbose=0)
    np.testing.assert_array_equal(numpy(stock(X)), before)
    assert [type(x) for x in walk_layers(stock)] == classes


def test_it_stays_an_instance_and_says_what_drops():
    stock = make_stock()
    stock.compile(keras.optimizers.SGD(0.5), LOSS)
    model = MCDropout(stock)
    assert isinstance(model, keras.Sequential)
    assert isinstance(model, MCDropout)
    assert model.ensemble_size == 10 and model.name == "stock"
    assert len(model.dropout_layers) == 2
    assert float(model.optimizer.learning_rate) == 0.5
    assert model.optimizer is not stock.optimizer


def test_one_sample_is_an_ensemble_of_one():
    stock = make_stock()
    found = MCDropout(stock, 1, seed=3).predict_members(X)
    np.testing.assert_allclose(found, by_hand(stock, 3, 1), atol=1e-5)


def sequence_model():
    """Words of any number, zero where there is none."""
    inputs = keras.Input((None,), dtype="int32")
    x = layers.Embedding(7, 8, mask_zero=True)(inputs)
    h = layers.MultiHeadAttention(2, 4, dropout=0.3)(x, x)
    x = layers.Add()([x, h])
    x = layers.Dropout(0.3)(x)
    h = layers.Dense(8, "relu")(x)
    x = layers.Add()([x, layers.SpatialDropout1D(0.2)(h)])
    x = layers.GlobalAveragePooling1D()(x)
    return cases.with_random_weights(
        keras.Model(inputs, layers.Dense(3)(x), name="sequences")
    )


def test_padding_changes_no_member():
    stock = sequence_model()
    model = MCDropout(stock, 4, seed=0)
    assert len(model.dropout_layers) == 3
    words = np.array([[1, 2, 3, 0], [4, 5, 0, 0]])
    padded = np.pad(words, ((0, 0), (0, 3)))
    np.testing.assert_allclose(
        numpy(stock(padded)), numpy(stock(words)), atol=1e-5
    )
    found = model.predict_members(words)
    np.testing.assert_allclose(model.predict_members(padded), found, atol=1e-5)
    assert np.abs(found - found.mean(1, keepdims=True)).max() > 1e-2


def test_compiled_by_xla_it_gives_the_same():
    if keras.config.backend() == "torch":
        pytest.skip("PyTorch's compiler is another one.")
    stock = make_stock()
    found = []
    for options in ({"run_eagerly": True}, {"jit_compile": True}):
        model = MCDropout(stock, 4, seed=0)
        model.compile("sgd", LOSS, **options)
        found.append(model.predict_members(X))
    np.testing.assert_allclose(*found, atol=1e-5)


@pytest.mark.parametrize("where", ["backbone", "head"])
def test_a_vision_transformer_drops_where_it_was_told(where):
    keras_hub = pytest.importorskip("keras_hub")
    if where == "head":
        stock = cases.vit(2, dropout=0.5)
    else:
        backbone = cases.vit_backbone(
            2, dropout_rate=0.3, attention_dropout=0.3
        )
        stock = keras_hub.models.ViTImageClassifier(backbone, num_classes=3)
    cases.with_random_weights(stock)
    images = cases.examples(stock)
    model = MCDropout(stock, 3, seed=0)
    assert isinstance(model, keras_hub.models.ViTImageClassifier)
    count = {"head": 1, "backbone": 7}[where]
    assert len(model.dropout_layers) == count
    found = model.predict_members(images)
    assert np.abs(found - found.mean(1, keepdims=True)).max() > 1e-2
    if where == "head":
        kept = numpy(dropout_masks(0, 0, 3, (8,), 0.5))
        features = numpy(stock.output_dense.kernel)
        x = copy_model(stock)
        pooled = numpy(x.backbone(images))[:, 0]
        expected = np.einsum("bd,md,dc->bmc", pooled, kept, features)
        expected = expected + numpy(stock.output_dense.bias)
        np.testing.assert_allclose(found, expected, atol=1e-4)


# Refusals


def test_a_model_without_dropout_is_refused():
    message = "'mlp' has no `Dropout`.*Rebuild it with one.*dropout=0.1"
    with pytest.raises(ValueError, match=message):
        MCDropout(cases.make("mlp"))


@pytest.mark.parametrize("num_samples", [0, -1, 2.0, True, "10"])
def test_the_number_of_samples_is_a_positive_integer(num_samples):
    with pytest.raises(ValueError, match="`num_samples` must be a positive"):
        MCDropout(make_stock(), num_samples)


@pytest.mark.parametrize("seed", [-1, 1.5, "1"])
def test_the_seed_is_a_non_negative_integer(seed):
    with pytest.raises(ValueError, match="`seed` must be `None` or"):
        MCDropout(make_stock(), seed=seed)


def test_a_model_with_members_is_refused():
    with pytest.raises(ValueError, match="has members already"):
        MCDropout(MCDropout(make_stock(), 3))


def test_a_model_that_is_not_built_is_refused():
    with pytest.raises(ValueError, match="is not built"):
        MCDropout(keras.Sequential([layers.Dropout(0.5), layers.Dense(3)]))


def test_a_fixed_batch_leaves_no_room():
    inputs = keras.Input(batch_shape=(2, 4))
    x = layers.Dense(3)(layers.Dropout(0.5)(inputs))
    with pytest.raises(ValueError, match="fixed batch size"):
        MCDropout(keras.Model(inputs, x))
